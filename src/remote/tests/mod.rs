//! The client's side of the control protocol against hosts that the tests play.

mod connection;
