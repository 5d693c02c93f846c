//! The function through its public entry, with the real S3 client against a small S3 on the loopback interface.

mod s3;
mod steps;
