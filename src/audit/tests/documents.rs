//! Rules on identity policies, repositories, services and the rest.
