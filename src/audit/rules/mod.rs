//! Every rule, one file each; the order is that of the documentation.

mod condition_key_never;
mod create_repository;
mod drift;
mod execution_role;
mod expired_acceptance;
mod extra_versions;
mod image_architecture;
mod lifecycle_expires;
mod log_retention;
mod mutable_image_tag;
mod mutable_production_tags;
mod no_such_resource;
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
mod other_repository;
mod pass_role;
mod plain_credential;
mod privilege_escalation;
mod privileged_container;
mod quota;
mod repository_open;
mod secret_removed;
mod secret_unrotated;
mod separate_build;
mod superfluous_statement;
mod undeclared_access;
mod undeclared_trust;
mod unknown_action;
mod unresolved_principal;
mod wider_than_declared;
mod writable_root;

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
    &unknown_action::UnknownAction,
    &no_such_resource::NoSuchResource,
    &condition_key_never::ConditionKeyNever,
    &superfluous_statement::SuperfluousStatement,
    &pass_role::PassRole,
    &privilege_escalation::PrivilegeEscalation,
    &create_repository::CreateRepository,
    &other_repository::OtherRepository,
    &drift::Drift,
    &wider_than_declared::WiderThanDeclared,
    &undeclared_access::UndeclaredAccess,
    &undeclared_trust::UndeclaredTrust,
    &unresolved_principal::UnresolvedPrincipal,
    &extra_versions::ExtraVersions,
    &expired_acceptance::ExpiredAcceptance,
    &plain_credential::PlainCredential,
    &privileged_container::PrivilegedContainer,
    &writable_root::WritableRoot,
    &mutable_image_tag::MutableImageTag,
    &image_architecture::ImageArchitecture,
    &separate_build::SeparateBuild,
    &log_retention::LogRetention,
    &execution_role::ExecutionRole,
    &mutable_production_tags::MutableProductionTags,
    &lifecycle_expires::LifecycleExpires,
    &repository_open::RepositoryOpen,
    &secret_unrotated::SecretUnrotated,
    &secret_removed::SecretRemoved,
    &quota::Quota,
];
