//! What the tests stand on: throwaway databases, PostgreSQL clusters that can be killed, and waiting for a condition.
//!
//! Nothing here knows the product.

mod cluster;
mod machine;
mod place;
mod pooler;
mod proxy;
mod small_disk;
mod wait;

pub use cluster::{Cluster, Durability};
pub use machine::{find_program, free_port, give_to_ordinary_user};
pub use place::Place;
pub use pooler::Pooler;
pub use proxy::Proxy;
pub use small_disk::SmallDisk;
pub use wait::{eventually, eventually_ok};
