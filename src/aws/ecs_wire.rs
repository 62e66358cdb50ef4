//! ECS as JSON: requests and answers go through the SDK's client, but as the documents themselves,
//! so that a field that the SDK does not know yet is kept and sent back instead of being lost.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use serde_json::Value;

use super::{Attempts, Aws, Error};

/// Takes a copy of the body of the answer.
#[derive(Clone, Default)]
struct Answer(Arc<Mutex<Vec<u8>>>);

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An answer may hold environment values.
        f.write_str("Answer")
    }
}

impl Intercept for Answer {
    fn name(&self) -> &'static str {
        "Answer"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(bytes) = context.response().body().bytes() {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = bytes.to_vec();
        }
        Ok(())
    }
}

impl Answer {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn put(body: &str, request: &mut HttpRequest) {
    *request.body_mut() = SdkBody::from(body);
    request
        .headers_mut()
        .insert("content-length", body.len().to_string());
}

macro_rules! writes {
    (read) => {
        false
    };
    (write) => {
        true
    };
}

/// Defines the operations: a variant for each, and the way to send it.
macro_rules! operations {
    ($( $(#[doc = $doc:literal])+ $effect:ident $variant:ident = $method:ident ),* $(,)?) => {
        /// An operation of ECS that takes and gives JSON.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Operation {
            $( $(#[doc = $doc])+ $variant, )*
        }

        impl Aws {
            /// Sends a request to ECS and gives the answer, both as the API's own JSON.
            pub async fn ecs(
                &self,
                operation: Operation,
                attempts: Attempts,
                request: &Value,
            ) -> Result<Value, Error> {
                let body = request.to_string();
                let answer = match operation {
                    $( Operation::$variant => {
                        let name = concat!("ecs:", stringify!($variant));
                        self.send(name, writes!($effect), attempts, |clients| {
                            let (body, answer) = (body.clone(), Answer::default());
                            async move {
                                clients
                                    .ecs
                                    .$method()
                                    .customize()
                                    .mutate_request(move |request| put(&body, request))
                                    .interceptor(answer.clone())
                                    .send()
                                    .await?;
                                Ok(answer.take())
                            }
                        })
                        .await?
                    } )*
                };
                serde_json::from_slice(&answer)
                    .map_err(|error| Error::unreadable(format!("ecs:{operation:?}: {error}")))
            }
        }
    };
}

operations! {
    /// Services of one cluster, ten a call.
    read DescribeServices = describe_services,
    /// The ARNs of a cluster's services.
    read ListServices = list_services,
    /// One revision of a family.
    read DescribeTaskDefinition = describe_task_definition,
    /// The ARNs of a family's revisions.
    read ListTaskDefinitions = list_task_definitions,
    /// Registers a revision.
    write RegisterTaskDefinition = register_task_definition,
    /// Makes a revision INACTIVE.
    write DeregisterTaskDefinition = deregister_task_definition,
    /// Makes a service.
    write CreateService = create_service,
    /// Changes a service.
    write UpdateService = update_service,
    /// Deletes a service.
    write DeleteService = delete_service,
    /// The deployments of a service.
    read ListServiceDeployments = list_service_deployments,
    /// What became of deployments.
    read DescribeServiceDeployments = describe_service_deployments,
    /// What ran in a revision of a service, digests included.
    read DescribeServiceRevisions = describe_service_revisions,
    /// Stops a deployment, going back to what ran before.
    write StopServiceDeployment = stop_service_deployment,
    /// Answers a hook that waits.
    write ContinueServiceDeployment = continue_service_deployment,
    /// The ARNs of a service's tasks.
    read ListTasks = list_tasks,
    /// Tasks, with the reasons why they stopped.
    read DescribeTasks = describe_tasks,
    /// Starts a task by itself.
    write RunTask = run_task,
    /// Opens a session in a container.
    write ExecuteCommand = execute_command,
    /// Stops a task.
    write StopTask = stop_task,
    /// Adds tags.
    write TagResource = tag_resource,
    /// Removes tags.
    write UntagResource = untag_resource,
}
