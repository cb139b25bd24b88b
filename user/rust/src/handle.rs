// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
//! Owners of what the library gives: all that is unsafe is here.
//!
//! A pointer in a handle is valid until the handle is dropped. The library says of
//! each function which threads may call it: those that are called with a shared
//! reference are for any.

use crate::ffi::*;
use std::ffi::CStr;
use std::io::{Error, Result};
use std::os::raw::c_int;
use std::ptr::{null, null_mut, NonNull};
use std::sync::Arc;
use std::{mem, slice};

fn check(err: c_int) -> Result<()> {
    match err {
        0 => Ok(()),
        _ => Err(Error::from_raw_os_error(-err)),
    }
}

macro_rules! handle {
    ($name:ident, $type:ident, $free:ident) => {
        impl Drop for $name {
            fn drop(&mut self) {
                // SAFETY: the only owner; it is used no more.
                unsafe { $free(self.0.as_ptr()) }
            }
        }

        // SAFETY: there is no thread that something must be called from.
        unsafe impl Send for $name {}
        // SAFETY: what takes &self calls what any thread may.
        unsafe impl Sync for $name {}
    };
}

#[derive(Debug)]
pub struct SessionHandle(NonNull<ramload_session>);
handle!(SessionHandle, ramload_session, ramload_session_close);

impl SessionHandle {
    pub fn open(engine: u32) -> Result<Self> {
        let size = mem::size_of::<ramload_session_options>();
        let options = ramload_session_options { size, engine, workers: 0, device: null() };
        let mut session = null_mut();

        // SAFETY: both are valid for the call.
        check(unsafe { ramload_session_open(&options, &mut session) })?;
        Ok(Self(NonNull::new(session).unwrap()))
    }

    pub fn engine(&self) -> u32 {
        // SAFETY: see above.
        unsafe { ramload_session_engine(self.0.as_ptr()) }
    }
}

#[derive(Debug)]
pub struct MemoryHandle(NonNull<ramload_memory>, usize);
handle!(MemoryHandle, ramload_memory, ramload_memory_free);

impl MemoryHandle {
    pub fn alloc(kind: u32, length: u64) -> Result<Self> {
        let size = usize::try_from(length).map_err(|_| Error::from_raw_os_error(12))?;
        let mut memory = null_mut();

        // SAFETY: valid for the call.
        check(unsafe { ramload_memory_alloc(kind, length, &mut memory) })?;
        Ok(Self(NonNull::new(memory).unwrap(), size))
    }

    fn address(&self) -> *mut u8 {
        // SAFETY: see above.
        unsafe { ramload_memory_address(self.0.as_ptr()) }.cast()
    }

    pub fn fd(&self) -> c_int {
        // SAFETY: see above.
        unsafe { ramload_memory_fd(self.0.as_ptr()) }
    }

    pub fn bytes(&self) -> &[u8] {
        // SAFETY: as long as was asked for, and zeroed. A job has no reference.
        unsafe { slice::from_raw_parts(self.address(), self.1) }
    }

    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: likewise, and borrowed by nobody else.
        unsafe { slice::from_raw_parts_mut(self.address(), self.1) }
    }

    /// Who makes a job of it has to keep the memory until that is freed.
    pub fn block(&mut self, file_offset: u64, length: u64) -> ramload_block {
        ramload_block {
            file_offset,
            length: length.min(self.1 as u64),
            dest: self.address().cast(),
            bitmap: null(),
            page_size: 0,
        }
    }
}

#[derive(Debug)]
pub struct JobHandle(NonNull<ramload_job>, Arc<SessionHandle>);
handle!(JobHandle, ramload_job, ramload_job_free);

impl JobHandle {
    pub fn load(session: &Arc<SessionHandle>, fd: c_int, blocks: &[ramload_block]) -> Result<Self> {
        let mut job = null_mut();

        // SAFETY: the blocks are copied. What they point to is the caller's to keep.
        check(unsafe {
            ramload_load(session.0.as_ptr(), fd, blocks.as_ptr(), blocks.len(), null(), &mut job)
        })?;
        Ok(Self(NonNull::new(job).unwrap(), session.clone()))
    }

    pub fn fd(&self) -> c_int {
        // SAFETY: see above.
        unsafe { ramload_job_fd(self.0.as_ptr()) }
    }

    pub fn result(&self) -> ramload_result {
        // SAFETY: plain numbers, for which zero is a value.
        let mut result = unsafe { mem::zeroed() };

        // SAFETY: see above; it always returns 0.
        unsafe { ramload_job_result(self.0.as_ptr(), &mut result) };
        result
    }

    pub fn cancel(&self) {
        // SAFETY: see above.
        unsafe { ramload_job_cancel(self.0.as_ptr()) }
    }

    pub fn wait(&self) -> Result<()> {
        // SAFETY: see above.
        check(unsafe { ramload_job_wait(self.0.as_ptr(), null_mut()) })
    }
}

#[derive(Debug)]
pub struct ImageHandle(NonNull<ramload_image>);
handle!(ImageHandle, ramload_image, ramload_image_close);

impl ImageHandle {
    pub fn open(fd: c_int, offset: u64) -> Result<Self> {
        // SAFETY: plain numbers, for which zero is a value.
        let mut error: ramload_image_error = unsafe { mem::zeroed() };
        let mut image = null_mut();

        // SAFETY: valid for the call.
        let err = unsafe { ramload_image_open(fd, offset, null(), &mut image, &mut error) };
        check(err).map_err(|err| {
            // SAFETY: one line that ends within the array.
            let text = unsafe { CStr::from_ptr(error.text.as_ptr()) };
            Error::new(err.kind(), text.to_string_lossy().into_owned())
        })?;
        Ok(Self(NonNull::new(image).unwrap()))
    }

    pub fn blocks(&self) -> Vec<(String, u64)> {
        // SAFETY: see above; blocks and their names are the image's.
        let block = |i| unsafe {
            let block = &*ramload_image_block(self.0.as_ptr(), i);
            (CStr::from_ptr(block.name).to_string_lossy().into_owned(), block.length)
        };

        // SAFETY: see above.
        (0..unsafe { ramload_image_nr_blocks(self.0.as_ptr()) }).map(block).collect()
    }

    /// A job for each file. Who gets them has to keep image and memory until they
    /// are dropped.
    pub fn load(
        &self,
        session: &Arc<SessionHandle>,
        memory: &mut [&mut MemoryHandle],
    ) -> Result<Vec<JobHandle>> {
        let blocks = self.blocks();
        let fit = memory.iter().zip(&blocks).all(|(memory, block)| memory.1 as u64 >= block.1);

        if memory.len() != blocks.len() || !fit {
            return Err(Error::from_raw_os_error(22));
        }
        let dests: Vec<_> = memory.iter().map(|memory| memory.address().cast()).collect();
        let mut jobs = Vec::new();

        // SAFETY: see above.
        for file in 0..unsafe { ramload_image_nr_files(self.0.as_ptr()) } {
            // SAFETY: there is one destination for each block, and long enough.
            let fill =
                |parts| unsafe { ramload_image_load(self.0.as_ptr(), file, dests.as_ptr(), parts) };
            let nr = fill(null_mut());
            let mut parts = Vec::with_capacity(nr);

            if nr > 0 {
                fill(parts.as_mut_ptr());
                // SAFETY: so many were counted, and filled in.
                unsafe { parts.set_len(nr) };
                // SAFETY: see above.
                let fd = unsafe { ramload_image_file(self.0.as_ptr(), file) };
                jobs.push(JobHandle::load(session, fd, &parts)?);
            }
        }
        Ok(jobs)
    }
}
