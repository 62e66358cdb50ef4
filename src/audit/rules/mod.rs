//! Every rule, one file each; the order is that of the documentation.

mod o01_unconstrained;
mod o02_any_owner;
mod o03_owner_prefix;
mod o04_name_prefix;
mod o05_organisation;
mod o06_every_ref;
mod o07_pull_request;
mod o08_literal_wildcard;
mod o09_for_all_values;
mod o10_weak_guard;
mod o11_audience;
mod o12_unlisted_audience;
mod o13_foreign_key;
mod o14_ref_and_environment;
mod o15_unprotected_environment;
mod o16_letter_case;
mod o17_name_based;
mod o18_other_form;
mod o19_wildcard_ids;
mod o20_workflow_alone;
mod o21_mutable_workflow;
mod o22_chosen_claim;
mod o23_actor_alone;
mod o24_template;
mod o25_second_door;
mod o26_thumbprints;
mod o27_refused;
mod o28_wrong_call;

use super::Rule;

/// Every rule.
pub const RULES: &[&dyn Rule] = &[
    &o01_unconstrained::Unconstrained,
    &o02_any_owner::AnyOwner,
    &o03_owner_prefix::OwnerPrefix,
    &o04_name_prefix::NamePrefix,
    &o05_organisation::Organisation,
    &o06_every_ref::EveryRef,
    &o07_pull_request::PullRequest,
    &o08_literal_wildcard::LiteralWildcard,
    &o09_for_all_values::ForAllValues,
    &o10_weak_guard::WeakGuard,
    &o11_audience::Audience,
    &o12_unlisted_audience::UnlistedAudience,
    &o13_foreign_key::ForeignKey,
    &o14_ref_and_environment::RefAndEnvironment,
    &o15_unprotected_environment::UnprotectedEnvironment,
    &o16_letter_case::LetterCase,
    &o17_name_based::NameBased,
    &o18_other_form::OtherForm,
    &o19_wildcard_ids::WildcardIds,
    &o20_workflow_alone::WorkflowAlone,
    &o21_mutable_workflow::MutableWorkflow,
    &o22_chosen_claim::ChosenClaim,
    &o23_actor_alone::ActorAlone,
    &o24_template::Template,
    &o25_second_door::SecondDoor,
    &o26_thumbprints::Thumbprints,
    &o27_refused::Refused,
    &o28_wrong_call::WrongCall,
];
