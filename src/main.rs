//! The binary: parses the command line, runs the command, and turns its outcome into the exit code.

fn main() {}
