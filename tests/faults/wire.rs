//! The way from the SDK to the sandbox: a dead process gets no answer, and where two programs run at
//! once, a gate decides whose write comes next.

use std::fmt;
use std::future::{pending, poll_fn};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use provision::sandbox::Sandbox;

use super::drive::{Time, held};

/// The HTTP client of one program.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    pub(crate) sandbox: Sandbox,
    pub(crate) time: Arc<Time>,
    pub(crate) gate: Option<Gate>,
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let wire = self.clone();
        HttpConnectorFuture::new(async move {
            if let Some(gate) = wire.gate.as_ref().filter(|_| is_write(&request)) {
                gate.pass().await;
            }
            let answer = wire.sandbox.call(request).await;
            if wire.sandbox.crashed() {
                wire.time.kill(true);
                pending::<()>().await;
            }
            answer
        })
    }
}

/// Whether a request writes, by the name of its operation.
fn is_write(request: &HttpRequest) -> bool {
    let target = request.headers().get("x-amz-target");
    let target = target.and_then(|target| target.rsplit('.').next());
    let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default());
    let action = || {
        body.split('&')
            .find_map(|pair| pair.strip_prefix("Action="))
    };
    let operation = target.or_else(action).unwrap_or_default();
    !["Get", "List", "Describe", "BatchGet"]
        .iter()
        .any(|prefix| operation.starts_with(prefix))
}

/// Whose turn it is, write by write.
#[derive(Default)]
struct Turns {
    /// Which of the two comes next, the first one last.
    order: Vec<bool>,
    /// Who has ended.
    ended: [bool; 2],
    waiting: Vec<Waker>,
}

/// One program's side of the gate that two share.
#[derive(Clone)]
pub(crate) struct Gate {
    turns: Arc<Mutex<Turns>>,
    /// Which of the two this is.
    second: bool,
}

impl fmt::Debug for Gate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Gate")
    }
}

impl Gate {
    /// Both sides of a gate.
    pub(crate) fn pair() -> [Self; 2] {
        let turns = Arc::<Mutex<Turns>>::default();
        [false, true].map(|second| Self {
            turns: turns.clone(),
            second,
        })
    }

    /// Begins anew, with this order of writes; false is the first program.
    pub(crate) fn arrange(&self, order: &[bool]) {
        *held(&self.turns) = Turns {
            order: order.iter().rev().copied().collect(),
            ..Turns::default()
        };
    }

    /// This program has ended: the turns that it has left are void.
    pub(crate) fn end(&self) {
        let mut turns = held(&self.turns);
        if let Some(ended) = turns.ended.get_mut(usize::from(self.second)) {
            *ended = true;
        }
        for waker in std::mem::take(&mut turns.waiting) {
            waker.wake();
        }
    }

    /// Waits for this program's turn. When the order is used up, whoever comes may pass.
    pub(crate) async fn pass(&self) {
        poll_fn(|context| {
            let mut turns = held(&self.turns);
            loop {
                match turns.order.last().copied() {
                    None => return Poll::Ready(()),
                    Some(next) if next == self.second => {
                        turns.order.pop();
                        for waker in std::mem::take(&mut turns.waiting) {
                            waker.wake();
                        }
                        return Poll::Ready(());
                    }
                    Some(next) if turns.ended.get(usize::from(next)) == Some(&true) => {
                        turns.order.pop();
                    }
                    Some(_) => {
                        turns.waiting.push(context.waker().clone());
                        return Poll::Pending;
                    }
                }
            }
        })
        .await;
    }
}
