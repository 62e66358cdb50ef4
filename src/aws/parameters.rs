//! The requests on one parameter of Systems Manager: made only where there is none, read, removed.
//! They are what a lock needs, and no look keeps what they answer.

use aws_sdk_ssm::types::ParameterType;

use super::{Attempts, Aws, Error};

/// Makes a parameter that must not be there yet; `Class::Exists` where it is, also where it was this
/// very request, sent twice, that made it.
pub async fn create(aws: &Aws, name: &str, value: &str) -> Result<(), Error> {
    // Sent again where its reply is lost: the value tells our own from another's.
    aws.write("ssm:PutParameter", Attempts::Idempotent, |clients| {
        clients
            .ssm
            .put_parameter()
            .name(name)
            .value(value)
            .r#type(ParameterType::String)
            .overwrite(false)
            .send()
    })
    .await?;
    Ok(())
}

/// The value of a parameter, read anew; none where there is no such parameter.
pub async fn value(aws: &Aws, name: &str) -> Result<Option<String>, Error> {
    let answer = aws
        .read("ssm:GetParameter", |clients| {
            clients.ssm.get_parameter().name(name).send()
        })
        .await;
    match answer {
        Ok(answer) => match answer.parameter.and_then(|parameter| parameter.value) {
            Some(value) => Ok(Some(value)),
            None => Err(Error::unreadable("ssm:GetParameter gives no value.")),
        },
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Removes a parameter; one that is gone is removed.
pub async fn remove(aws: &Aws, name: &str) -> Result<(), Error> {
    let answer = aws
        .write("ssm:DeleteParameter", Attempts::Idempotent, |clients| {
            clients.ssm.delete_parameter().name(name).send()
        })
        .await;
    match answer {
        Err(error) if !error.is_not_found() => Err(error),
        _ => Ok(()),
    }
}
