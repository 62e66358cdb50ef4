//! Keeps within the rates that AWS publishes, so that no request is refused twice: token buckets of
//! ECS's and CloudTrail's sizes. The rates of the other services are not published.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// When a bucket makes requests wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pacing {
    /// From the start: the endpoint is AWS, whose buckets everyone in the account shares.
    Always,
    /// From the first refusal on: the endpoint may have no buckets at all. Until then only counted.
    #[default]
    OnceRefused,
}

/// A published bucket: the actions of one class share it, per account and region.
struct Size {
    class: &'static str,
    operations: &'static [&'static str],
    burst: u32,
    per_second: u32,
}

/// ECS's classes, by "Request throttling for the Amazon ECS API", and `CloudTrail`'s, by "`LookupEvents`".
const SIZES: &[Size] = &[
    Size {
        class: "service modify",
        operations: &[
            "ecs:CreateService",
            "ecs:UpdateService",
            "ecs:DeleteService",
        ],
        burst: 50,
        per_second: 5,
    },
    Size {
        class: "service read",
        operations: &[
            "ecs:DescribeServices",
            "ecs:ListServices",
            "ecs:ListServicesByNamespace",
        ],
        burst: 100,
        per_second: 20,
    },
    Size {
        class: "service deployments",
        operations: &[
            "ecs:DescribeServiceDeployments",
            "ecs:ListServiceDeployments",
        ],
        burst: 50,
        per_second: 20,
    },
    Size {
        class: "service revisions",
        operations: &["ecs:DescribeServiceRevisions", "ecs:ListServiceRevisions"],
        burst: 50,
        per_second: 20,
    },
    Size {
        class: "task definition modify",
        operations: &["ecs:RegisterTaskDefinition", "ecs:DeregisterTaskDefinition"],
        burst: 20,
        per_second: 1,
    },
    Size {
        class: "task definition read",
        operations: &[
            "ecs:DescribeTaskDefinition",
            "ecs:ListTaskDefinitions",
            "ecs:ListTaskDefinitionFamilies",
        ],
        burst: 50,
        per_second: 20,
    },
    Size {
        class: "task definition deletion",
        operations: &["ecs:DeleteTaskDefinitions"],
        burst: 5,
        per_second: 1,
    },
    Size {
        class: "cluster modify",
        operations: &[
            "ecs:CreateCluster",
            "ecs:DeleteCluster",
            "ecs:UpdateCluster",
            "ecs:UpdateClusterSettings",
            "ecs:PutClusterCapacityProviders",
        ],
        burst: 20,
        per_second: 1,
    },
    Size {
        class: "cluster read",
        operations: &["ecs:DescribeClusters", "ecs:ListClusters"],
        burst: 50,
        per_second: 20,
    },
    Size {
        class: "tag modify",
        operations: &["ecs:TagResource", "ecs:UntagResource"],
        burst: 20,
        per_second: 10,
    },
    Size {
        class: "event lookup",
        operations: &["cloudtrail:LookupEvents"],
        burst: 2,
        per_second: 2,
    },
];

/// How full a bucket is, told by when it will be full again.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    full_at: Duration,
    refused: bool,
}

/// The buckets of a run.
#[derive(Debug, Default)]
pub(super) struct Buckets {
    pacing: Pacing,
    buckets: Mutex<BTreeMap<&'static str, Bucket>>,
}

impl Buckets {
    pub(super) fn new(pacing: Pacing) -> Self {
        Self {
            pacing,
            buckets: Mutex::default(),
        }
    }

    /// Takes a token for a request at `now`; gives how long to wait before it is sent.
    pub(super) fn take(&self, operation: &str, now: Duration) -> Duration {
        let Some(size) = size_of(operation) else {
            return Duration::ZERO;
        };
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.entry(size.class).or_default();
        bucket.full_at = bucket.full_at.max(now) + size.interval();
        if self.pacing == Pacing::OnceRefused && !bucket.refused {
            return Duration::ZERO;
        }
        bucket.full_at.saturating_sub(now + size.span())
    }

    /// Notes that AWS refused a request for its rate at `now`: the bucket is empty, whoever emptied
    /// it.
    pub(super) fn refused(&self, operation: &str, now: Duration) {
        let Some(size) = size_of(operation) else {
            return;
        };
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.entry(size.class).or_default();
        bucket.refused = true;
        bucket.full_at = bucket.full_at.max(now + size.span());
    }
}

impl Size {
    /// The time in which one token comes back.
    fn interval(&self) -> Duration {
        Duration::from_secs(1) / self.per_second.max(1)
    }

    /// The time in which an empty bucket fills, less one token: requests on their way overtake one
    /// another, and the last token of a burst would be refused.
    fn span(&self) -> Duration {
        self.interval() * self.burst.saturating_sub(1)
    }
}

fn size_of(operation: &str) -> Option<&'static Size> {
    SIZES
        .iter()
        .find(|size| size.operations.contains(&operation))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends `count` requests as fast as the buckets allow; the time until the last is sent.
    fn drain(buckets: &Buckets, count: u32) -> Duration {
        let mut now = Duration::ZERO;
        for _ in 0..count {
            now += buckets.take("ecs:RegisterTaskDefinition", now);
        }
        now
    }

    #[test]
    fn a_burst_goes_at_once_and_the_rest_at_the_published_rate() {
        let buckets = Buckets::new(Pacing::Always);
        assert_eq!(drain(&buckets, 19), Duration::ZERO);
        let all = Buckets::new(Pacing::Always);
        assert_eq!(drain(&all, 119), Duration::from_secs(100));
    }

    #[test]
    fn only_a_refusal_makes_an_unknown_endpoint_wait() {
        let buckets = Buckets::new(Pacing::OnceRefused);
        assert_eq!(drain(&buckets, 200), Duration::ZERO);
        let now = Duration::from_secs(10);
        buckets.refused("ecs:RegisterTaskDefinition", now);
        let first = buckets.take("ecs:RegisterTaskDefinition", now);
        let second = buckets.take("ecs:RegisterTaskDefinition", now);
        assert!(first >= Duration::from_secs(1));
        assert_eq!(second, first + Duration::from_secs(1));
    }

    #[test]
    fn a_bucket_that_was_left_alone_is_full_again() {
        let buckets = Buckets::new(Pacing::Always);
        let _ = drain(&buckets, 60);
        let later = Duration::from_hours(1);
        assert_eq!(
            buckets.take("ecs:RegisterTaskDefinition", later),
            Duration::ZERO
        );
        assert_eq!(
            buckets.take("iam:CreateRole", Duration::ZERO),
            Duration::ZERO
        );
    }

    #[test]
    fn every_operation_is_in_one_class() {
        let mut seen = std::collections::BTreeSet::new();
        for operation in SIZES.iter().flat_map(|size| size.operations) {
            assert!(seen.insert(operation), "{operation} is in two classes");
        }
    }
}
