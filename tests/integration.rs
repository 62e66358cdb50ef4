//! The built binary against moto's server and MiniStack. What it made, kept and removed is read with
//! boto3 and the AWS CLI, never with our own reader.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may end at once where something is not as it has to be"
)]

mod emulators;
mod integration {
    pub(crate) mod account;
    pub(crate) mod adoption;
    pub(crate) mod connection;
    #[cfg(unix)]
    pub(crate) mod killed;
    pub(crate) mod project;
    pub(crate) mod proxy;
    pub(crate) mod seed;
}

use emulators::Server;

/// Runs a test against an emulator, or says why there is none here.
fn with(name: &str, server: Result<Server, String>, test: impl FnOnce(&Server)) {
    match server {
        Ok(server) => test(&server),
        Err(reason) => println!("{name}: skipped, {reason}"),
    }
}

#[test]
fn moto_takes_the_project_and_is_left_as_it_was() {
    with("moto", Server::moto(), |server| {
        integration::seed::made_checked_and_removed("moto", server);
    });
}

#[test]
fn ministack_takes_the_project_and_is_left_as_it_was() {
    with("ministack", Server::ministack(), |server| {
        integration::seed::made_checked_and_removed("ministack", server);
    });
}

#[test]
fn what_the_seeds_own_commands_made_is_taken_over() {
    with("moto", Server::moto(), |server| {
        integration::adoption::an_empty_directory_is_filled_from_the_account(server);
        integration::adoption::nothing_is_made_again(server);
    });
}

#[test]
fn an_endpoint_a_profile_and_a_role_are_used_and_a_wrong_account_is_refused() {
    with("moto", Server::moto(), |server| {
        integration::connection::a_wrong_account_is_refused_before_anything_is_read(server);
        integration::connection::every_way_to_an_endpoint_is_taken(server);
        integration::connection::a_role_is_assumed(server);
    });
}

#[test]
#[cfg(unix)]
fn after_a_kill_at_any_moment_the_next_run_goes_on() {
    integration::killed::in_the_sandbox_the_next_run_goes_on();
}

#[test]
#[cfg(unix)]
fn after_a_kill_at_any_moment_the_next_run_goes_on_against_moto() {
    with("moto", Server::moto(), |server| {
        integration::killed::against_moto_the_next_run_goes_on(server);
    });
}
