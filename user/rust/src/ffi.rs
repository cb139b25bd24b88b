// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
//! What is used of `ramload.h`, as it stands there. `examples/ffi.rs` tells it to a
//! C compiler, which compares.
#![allow(non_camel_case_types)]

use std::os::raw::{c_char, c_int, c_uint, c_void};

macro_rules! opaque {
    ($($name:ident),*) => {
        $(#[repr(C)]
        pub struct $name {
            _opaque: [u8; 0],
        })*
    };
}

opaque!(ramload_session, ramload_job, ramload_image, ramload_memory);
opaque!(ramload_load_options);

pub const RAMLOAD_ENGINE_AUTO: c_uint = 0;
pub const RAMLOAD_ENGINE_KERNEL: c_uint = 1;
pub const RAMLOAD_ENGINE_USER: c_uint = 2;

pub const RAMLOAD_MEMORY_RAMLOAD: c_uint = 0;
pub const RAMLOAD_MEMORY_MEMFD: c_uint = 1;

#[repr(C)]
pub struct ramload_session_options {
    pub size: usize,
    pub engine: c_uint,
    pub workers: c_uint,
    pub device: *const c_char,
}

#[repr(C)]
pub struct ramload_block {
    pub file_offset: u64,
    pub length: u64,
    pub dest: *mut c_void,
    pub bitmap: *const u8,
    pub page_size: u32,
}

#[repr(C)]
pub struct ramload_result {
    pub done: bool,
    pub error: c_int,
    pub bytes_total: u64,
    pub bytes_done: u64,
    pub error_block: usize,
    pub error_offset: u64,
}

#[repr(C)]
pub struct ramload_image_error {
    pub offset: u64,
    pub text: [c_char; 200],
}

#[repr(C)]
pub struct ramload_image_block {
    pub name: *const c_char,
    pub address: u64,
    pub length: u64,
    pub present: u64,
    pub parts: *const c_void,
    pub nr_parts: usize,
}

#[link(name = "ramload")]
extern "C" {
    pub fn ramload_session_open(
        options: *const ramload_session_options,
        session: *mut *mut ramload_session,
    ) -> c_int;
    pub fn ramload_session_close(session: *mut ramload_session);
    pub fn ramload_session_engine(session: *const ramload_session) -> c_uint;

    pub fn ramload_load(
        session: *mut ramload_session,
        fd: c_int,
        blocks: *const ramload_block,
        nr_blocks: usize,
        options: *const ramload_load_options,
        job: *mut *mut ramload_job,
    ) -> c_int;
    pub fn ramload_job_fd(job: *const ramload_job) -> c_int;
    pub fn ramload_job_result(job: *mut ramload_job, result: *mut ramload_result) -> c_int;
    pub fn ramload_job_wait(job: *mut ramload_job, result: *mut ramload_result) -> c_int;
    pub fn ramload_job_cancel(job: *mut ramload_job);
    pub fn ramload_job_free(job: *mut ramload_job);

    pub fn ramload_image_open(
        fd: c_int,
        offset: u64,
        format: *const c_char,
        image: *mut *mut ramload_image,
        error: *mut ramload_image_error,
    ) -> c_int;
    pub fn ramload_image_close(image: *mut ramload_image);
    pub fn ramload_image_nr_files(image: *const ramload_image) -> usize;
    pub fn ramload_image_file(image: *const ramload_image, i: usize) -> c_int;
    pub fn ramload_image_load(
        image: *const ramload_image,
        file: usize,
        dests: *const *mut c_void,
        blocks: *mut ramload_block,
    ) -> usize;
    pub fn ramload_image_nr_blocks(image: *const ramload_image) -> usize;
    pub fn ramload_image_block(image: *const ramload_image, i: usize)
        -> *const ramload_image_block;

    pub fn ramload_memory_alloc(
        kind: c_uint,
        length: u64,
        memory: *mut *mut ramload_memory,
    ) -> c_int;
    pub fn ramload_memory_address(memory: *const ramload_memory) -> *mut c_void;
    pub fn ramload_memory_fd(memory: *const ramload_memory) -> c_int;
    pub fn ramload_memory_free(memory: *mut ramload_memory);
}
