//! What somebody, or a disk, has been at.

mod inbox;
