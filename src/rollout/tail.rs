//! What the containers of services write: what was written, and what comes, each event once. A live
//! tail brings it where there is one; else it is asked for again and again.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::aws::live_tail::{self, MOST_GROUPS, Session, Update};
use crate::aws::log_events::{Event, events};
use crate::aws::{Aws, Class};
use crate::error::{Error, Result};

/// The time between two reads without a live tail: CloudWatch shows an event within seconds.
const POLL: Duration = Duration::from_secs(5);
/// How far back is read again: events come late, and a new session begins a moment after the old one.
const OVERLAP: Duration = Duration::from_mins(1);
/// How long what was printed is remembered: longer than anything is read again.
const REMEMBERED: Duration = Duration::from_mins(10);
/// Events that are remembered before the old ones are forgotten: a bound on memory.
const MANY: usize = 50_000;
/// Sessions that may break one after the other before polling takes over.
const MOST_BROKEN: u32 = 3;

/// Which events.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The log groups.
    pub groups: Vec<String>,
    /// Since when: time since the Unix epoch.
    pub since: Duration,
    /// A pattern of CloudWatch Logs.
    pub filter: Option<String>,
}

/// What is told of events that are followed.
#[derive(Clone, Copy, Debug)]
pub enum Heard<'a> {
    /// An event.
    Event(&'a Event),
    /// How the events come, for those who want to know.
    Detail(&'a str),
    /// Something that everybody should know.
    Warning(&'a str),
}

/// Is told what is heard; says whether to go on.
pub(super) type Tell<'a> = &'a mut (dyn FnMut(Heard<'_>) -> Result<bool> + Send);

/// The events of all groups, oldest first.
///
/// # Errors
/// What could not be read.
pub async fn read_logs(aws: &Aws, wanted: &Wanted) -> Result<Vec<Event>> {
    let filter = wanted.filter.as_deref();
    let reads = wanted
        .groups
        .iter()
        .map(|group| events(aws, group, wanted.since, filter));
    let read = futures::future::try_join_all(reads).await?;
    let mut all: Vec<Event> = read.into_iter().flatten().collect();
    all.sort_by(|a, b| (a.time, &a.id).cmp(&(b.time, &b.id)));
    Ok(all)
}

/// Tells of the events since `wanted.since` and of all that come, until `tell` has had enough.
///
/// # Errors
/// What could not be read, nor told.
pub async fn follow_logs(aws: &Aws, wanted: &Wanted, tell: Tell<'_>) -> Result<()> {
    let mut following = Following {
        aws,
        wanted: wanted.clone(),
        printed: Printed::default(),
    };
    let mut broken = 0;
    while broken < MOST_BROKEN {
        let session = match following.open().await {
            Ok(session) => session,
            Err(words) => {
                let words = format!("no live tail ({words}): asking every {} s", POLL.as_secs());
                if !tell(Heard::Detail(&words))? {
                    return Ok(());
                }
                break;
            }
        };
        if broken == 0 && !tell(Heard::Detail("live tail"))? {
            return Ok(());
        }
        match following.session(session, tell).await? {
            None => return Ok(()),
            Some(Update::Broken(words)) => {
                broken += 1;
                let words = format!("the live tail broke: {words}");
                if !tell(Heard::Detail(&words))? {
                    return Ok(());
                }
                aws.clock().sleep(POLL).await;
            }
            Some(_) => broken = 0,
        }
    }
    following.poll(tell).await
}

struct Following<'a> {
    aws: &'a Aws,
    wanted: Wanted,
    printed: Printed,
}

impl Following<'_> {
    /// Opens a live tail; in words why there is none.
    async fn open(&self) -> Result<Session, String> {
        let groups = &self.wanted.groups;
        if groups.len() > MOST_GROUPS {
            return Err(format!(
                "{} log groups are more than it takes",
                groups.len()
            ));
        }
        let filter = self.wanted.filter.as_deref();
        let session = live_tail::start(self.aws, groups, filter).await;
        session.map_err(|error| match error.class {
            Class::AccessDenied => "logs:StartLiveTail is not allowed".to_owned(),
            _ => Error::from(error).to_string(),
        })
    }

    /// Tells what a session brings, after what came before it; how it ended, or none where there was
    /// enough.
    async fn session(&mut self, mut session: Session, tell: Tell<'_>) -> Result<Option<Update>> {
        if !self.catch_up(tell).await? {
            return Ok(None);
        }
        let mut source = Source::default();
        let mut warned = false;
        loop {
            let update = session.next().await;
            let Update::Events { events, sampled } = update else {
                self.moved_on();
                return Ok(Some(update));
            };
            for event in events {
                if self.printed.is_new(&mut source, &event) && !tell(Heard::Event(&event))? {
                    return Ok(None);
                }
            }
            if sampled && !warned {
                warned = true;
                let words = "more than 500 events a second come: CloudWatch leaves some out";
                if !tell(Heard::Warning(words))? {
                    return Ok(None);
                }
            }
            let now = self.aws.clock().now();
            self.printed.forget(&mut source, now);
        }
    }

    /// Reads until there was enough.
    async fn poll(&mut self, tell: Tell<'_>) -> Result<()> {
        while self.catch_up(tell).await? {
            self.moved_on();
            let now = self.aws.clock().now();
            self.printed.forget(&mut Source::default(), now);
            self.aws.clock().sleep(POLL).await;
        }
        Ok(())
    }

    /// Tells what was written and not yet told.
    async fn catch_up(&mut self, tell: Tell<'_>) -> Result<bool> {
        let mut source = Source::default();
        for event in read_logs(self.aws, &self.wanted).await? {
            if self.printed.is_new(&mut source, &event) && !tell(Heard::Event(&event))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What is read next begins a little before now.
    fn moved_on(&mut self) {
        let begin = self.aws.clock().now().saturating_sub(OVERLAP);
        self.wanted.since = self.wanted.since.max(begin);
    }
}

/// What tells an event from others: a live tail gives no ids.
type Mark = (String, String, Duration, String);

/// How often each event was in one answer or session.
type Source = BTreeMap<Mark, usize>;

/// How often each event was printed. Two equal lines of one millisecond are two events: an event is
/// new where its source has shown more of it than were printed.
#[derive(Debug, Default)]
struct Printed(BTreeMap<Mark, usize>);

impl Printed {
    fn is_new(&mut self, source: &mut Source, event: &Event) -> bool {
        let Event {
            id: _,
            time,
            stamp: _,
            group,
            stream,
            message,
        } = event;
        let mark = (group.clone(), stream.clone(), *time, message.clone());
        let shown = source.entry(mark.clone()).or_default();
        *shown += 1;
        let printed = self.0.entry(mark).or_default();
        let is_new = *shown > *printed;
        *printed = (*printed).max(*shown);
        is_new
    }

    /// Forgets what is too old to be shown again.
    fn forget(&mut self, source: &mut Source, now: Duration) {
        if self.0.len() > MANY {
            let begin = now.saturating_sub(REMEMBERED);
            self.0.retain(|(_, _, time, _), _| *time >= begin);
            source.retain(|(_, _, time, _), _| *time >= begin);
        }
    }
}
