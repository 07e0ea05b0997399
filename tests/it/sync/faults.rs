//! Every kind of failure in every kind of write.
