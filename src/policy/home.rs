//! Where a document lives: the account and the region that examples speak of where a document leaves them open.

/// An account and a region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Home {
    /// `aws`, `aws-cn`, ...
    pub partition: String,
    /// Such as `us-east-2`.
    pub region: String,
    /// The twelve digits.
    pub account: String,
}

impl Default for Home {
    /// The account that AWS's documentation uses, which is nobody's.
    fn default() -> Self {
        Self {
            partition: "aws".to_owned(),
            region: "us-east-1".to_owned(),
            account: "123456789012".to_owned(),
        }
    }
}
