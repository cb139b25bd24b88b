// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
//! Loads the RAM of a virtual machine from a file into memory: `libramload`.
//!
//! A [`Job`] owns the [`Memory`] it loads into until it is done, so nobody sees a
//! byte that is still being written, even if a job is forgotten.
//!
//! ```no_run
//! # fn main() -> std::io::Result<()> {
//! let file = std::fs::File::open("guest.img")?;
//! let session = ramload::Session::open(ramload::Engine::Auto)?;
//! let image = ramload::Image::open(&file, 0)?;
//! let memory = image.alloc(ramload::MemoryKind::Memfd)?;
//! let memory = session.load_image(&image, memory)?.wait()?;
//! # Ok(())
//! # }
//! ```
#![deny(unsafe_op_in_unsafe_fn, missing_docs)]

#[allow(missing_docs)]
pub mod ffi;
mod handle;

use handle::{ImageHandle, JobHandle, MemoryHandle, SessionHandle};
use std::fs::File;
use std::io;
use std::os::unix::io::{AsRawFd, RawFd};
use std::sync::Arc;

/// Who moves the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// The kernel module if it is there, else threads of this process.
    Auto = ffi::RAMLOAD_ENGINE_AUTO as isize,
    /// The kernel module.
    Kernel = ffi::RAMLOAD_ENGINE_KERNEL as isize,
    /// Threads of this process.
    User = ffi::RAMLOAD_ENGINE_USER as isize,
}

/// Kinds of memory to load into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryKind {
    /// Memory made for loading: a memfd of huge pages, where they can be had.
    Ramload = ffi::RAMLOAD_MEMORY_RAMLOAD as isize,
    /// A memfd.
    Memfd = ffi::RAMLOAD_MEMORY_MEMFD as isize,
}

/// Memory that a guest may run on, zeroed at first and mapped shared.
#[derive(Debug)]
pub struct Memory(MemoryHandle);

impl Memory {
    /// Makes memory; the length is rounded up to whole pages.
    pub fn alloc(kind: MemoryKind, length: u64) -> io::Result<Memory> {
        MemoryHandle::alloc(kind as u32, length).map(Memory)
    }

    /// What is in it.
    pub fn as_slice(&self) -> &[u8] {
        self.0.bytes()
    }

    /// What is in it, to be written to.
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        self.0.bytes_mut()
    }
}

/// The file of the memory. Who maps it elsewhere has to see to what is shared.
impl AsRawFd for Memory {
    fn as_raw_fd(&self) -> RawFd {
        self.0.fd()
    }
}

/// A snapshot file of any format that the library knows.
#[derive(Clone, Debug)]
pub struct Image(Arc<ImageHandle>);

impl Image {
    /// Reads what blocks there are. The error says what is wrong with the file.
    pub fn open(file: &File, offset: u64) -> io::Result<Image> {
        ImageHandle::open(file.as_raw_fd(), offset).map(|handle| Image(Arc::new(handle)))
    }

    /// Names and lengths of the blocks.
    pub fn blocks(&self) -> Vec<(String, u64)> {
        self.0.blocks()
    }

    /// Makes memory for each block.
    pub fn alloc(&self, kind: MemoryKind) -> io::Result<Vec<Memory>> {
        self.blocks().iter().map(|block| Memory::alloc(kind, block.1)).collect()
    }
}

/// An engine and its workers. It ends with the last clone and job.
#[derive(Clone, Debug)]
pub struct Session(Arc<SessionHandle>);

impl Session {
    /// Starts an engine.
    pub fn open(engine: Engine) -> io::Result<Session> {
        SessionHandle::open(engine as u32).map(|handle| Session(Arc::new(handle)))
    }

    /// The engine in use, never [`Engine::Auto`].
    pub fn engine(&self) -> Engine {
        match self.0.engine() {
            ffi::RAMLOAD_ENGINE_KERNEL => Engine::Kernel,
            _ => Engine::User,
        }
    }

    /// Starts to load a piece of a file, as long as the memory or, if that is less,
    /// `length`.
    pub fn load(
        &self,
        file: &File,
        offset: u64,
        length: u64,
        mut memory: Memory,
    ) -> io::Result<Job> {
        let block = memory.0.block(offset, length);
        let handle = JobHandle::load(&self.0, file.as_raw_fd(), &[block])?;
        Ok(Job { handles: vec![handle], memory: vec![memory], _image: None })
    }

    /// Starts to load an image into memory, of which there is one for each block.
    pub fn load_image(&self, image: &Image, mut memory: Vec<Memory>) -> io::Result<Job> {
        let mut targets: Vec<_> = memory.iter_mut().map(|memory| &mut memory.0).collect();
        let handles = image.0.load(&self.0, &mut targets)?;
        Ok(Job { handles, memory, _image: Some(image.clone()) })
    }
}

/// A load that is under way. To drop it cancels it, and waits for its end.
#[derive(Debug)]
pub struct Job {
    // Dropped first: they write to the memory, and read the image's bitmaps.
    handles: Vec<JobHandle>,
    memory: Vec<Memory>,
    _image: Option<Image>,
}

impl Job {
    /// Each is readable when its part is done, most often there is one. For poll(2),
    /// never to be read from.
    pub fn fds(&self) -> Vec<RawFd> {
        self.handles.iter().map(JobHandle::fd).collect()
    }

    /// Whether all of it is done, or has failed.
    pub fn is_done(&self) -> bool {
        self.handles.iter().all(|handle| handle.result().done)
    }

    /// Bytes loaded so far.
    pub fn bytes_done(&self) -> u64 {
        self.handles.iter().map(|handle| handle.result().bytes_done).sum()
    }

    /// Asks for the end, and does not wait for it.
    pub fn cancel(&self) {
        self.handles.iter().for_each(JobHandle::cancel);
    }

    /// Waits for the end, and returns the memory, one for each block.
    pub fn wait(self) -> io::Result<Vec<Memory>> {
        self.handles.iter().try_for_each(JobHandle::wait)?;
        Ok(self.memory)
    }
}
