// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
//! Prints what the crate takes for granted of `ramload.h` as assertions in C: sizes,
//! offsets, constants, and types of functions.
use ramload::ffi::*;
use std::mem::size_of;
use std::os::raw::c_void;

/// What a type of Rust is called in C.
trait InC {
    fn name() -> String;
}

macro_rules! in_c {
    ($($type:ty: $name:expr,)*) => {
        $(impl InC for $type {
            fn name() -> String {
                $name.into()
            }
        })*
    };
}

in_c! {
    (): "void",
    bool: "bool",
    i8: "char",
    u8: "uint8_t",
    i32: "int",
    u32: "unsigned int",
    u64: "uint64_t",
    usize: "size_t",
    c_void: "void",
    ramload_session: "struct ramload_session",
    ramload_session_options: "struct ramload_session_options",
    ramload_load_options: "struct ramload_load_options",
    ramload_job: "struct ramload_job",
    ramload_block: "struct ramload_block",
    ramload_result: "struct ramload_result",
    ramload_image: "struct ramload_image",
    ramload_image_block: "struct ramload_image_block",
    ramload_image_error: "struct ramload_image_error",
    ramload_memory: "struct ramload_memory",
}

impl<T: InC> InC for *const T {
    fn name() -> String {
        T::name() + " const *"
    }
}

impl<T: InC> InC for *mut T {
    fn name() -> String {
        T::name() + " *"
    }
}

/// A function; `A` tells implementations for different numbers of arguments apart.
trait Function<A> {
    fn assert(self, name: &str);
}

macro_rules! function {
    ($($argument:ident),*) => {
        impl<R: InC, $($argument: InC),*> Function<(R, $($argument),*)>
            for unsafe extern "C" fn($($argument),*) -> R
        {
            fn assert(self, name: &str) {
                let arguments: &[String] = &[$($argument::name()),*];

                println!(
                    "_Static_assert(__builtin_types_compatible_p(__typeof__({name}), \
                     {} ({})), \"{name}\");",
                    R::name(),
                    arguments.join(", ")
                );
            }
        }
    };
}

function!(A);
function!(A, B);
function!(A, B, C);
function!(A, B, C, D);
function!(A, B, C, D, E);
function!(A, B, C, D, E, F);

macro_rules! functions {
    ($($name:ident($($argument:tt),*);)*) => {
        $(Function::assert(
            $name as unsafe extern "C" fn($($argument),*) -> _, stringify!($name));)*
    };
}

macro_rules! structs {
    ($($name:ident { $($member:ident),* })*) => {
        $({
            // SAFETY: plain numbers and pointers, for which zero is a value.
            let zero: $name = unsafe { std::mem::zeroed() };
            let start = &zero as *const _ as usize;
            let $name { $($member: _),* } = &zero;

            assert("sizeof(struct ", stringify!($name), "", size_of::<$name>());
            $(assert(
                "offsetof(struct ",
                stringify!($name),
                concat!(", ", stringify!($member)),
                &zero.$member as *const _ as usize - start,
            );)*
        })*
    };
}

fn assert(what: &str, name: &str, member: &str, value: usize) {
    println!("_Static_assert({what}{name}{member}) == {value}, \"{name}{member}\");");
}

macro_rules! constants {
    ($($name:ident),*) => {
        $(assert("(", stringify!($name), "", $name as usize);)*
    };
}

fn main() {
    println!("#include <ramload.h>");
    constants!(RAMLOAD_ENGINE_AUTO, RAMLOAD_ENGINE_KERNEL, RAMLOAD_ENGINE_USER);
    constants!(RAMLOAD_MEMORY_RAMLOAD, RAMLOAD_MEMORY_MEMFD);
    structs! {
        ramload_session_options { size, engine, workers, device }
        ramload_block { file_offset, length, dest, bitmap, page_size }
        ramload_result { done, error, bytes_total, bytes_done, error_block, error_offset }
        ramload_image_error { offset, text }
        ramload_image_block { name, address, length, present, parts, nr_parts }
    }
    functions! {
        ramload_session_open(_, _);
        ramload_session_close(_);
        ramload_session_engine(_);
        ramload_load(_, _, _, _, _, _);
        ramload_job_fd(_);
        ramload_job_result(_, _);
        ramload_job_wait(_, _);
        ramload_job_cancel(_);
        ramload_job_free(_);
        ramload_image_open(_, _, _, _, _);
        ramload_image_close(_);
        ramload_image_nr_files(_);
        ramload_image_file(_, _);
        ramload_image_load(_, _, _, _);
        ramload_image_nr_blocks(_);
        ramload_image_block(_, _);
        ramload_memory_alloc(_, _, _);
        ramload_memory_address(_);
        ramload_memory_fd(_);
        ramload_memory_free(_);
    }
}
