// SPDX-License-Identifier: MIT OR LGPL-2.1-or-later
//! What is loaded is what the file has.
use ramload::{Engine, Image, Memory, MemoryKind, Session};
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::PathBuf;

/// A file of its own for a test, gone when that ends.
struct TempFile(PathBuf, Vec<u8>);

impl TempFile {
    fn new(name: &str, length: usize) -> TempFile {
        let path = std::env::temp_dir().join(format!("ramload-{}-{name}", std::process::id()));
        let bytes: Vec<u8> = (0..length).map(|i| (i * i / 251 + i) as u8).collect();

        fs::write(&path, &bytes).unwrap();
        TempFile(path, bytes)
    }

    fn open(&self) -> File {
        File::open(&self.0).unwrap()
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn session() -> Session {
    Session::open(Engine::User).unwrap()
}

#[test]
fn file() {
    let file = TempFile::new("file", 3_000_001);
    let memory = Memory::alloc(MemoryKind::Memfd, 3_000_001).unwrap();
    let job = session().load(&file.open(), 0, u64::MAX, memory).unwrap();

    assert_eq!(job.fds().len(), 1);
    let memory = job.wait().unwrap();
    assert!(memory[0].as_slice() == file.1);
}

#[test]
fn piece_of_a_file() {
    let file = TempFile::new("piece", 100_000);
    let memory = Memory::alloc(MemoryKind::Memfd, 8192).unwrap();
    let job = session().load(&file.open(), 777, 5000, memory).unwrap();
    let memory = job.wait().unwrap();

    assert!(memory[0].as_slice()[..5000] == file.1[777..5777]);
    assert!(memory[0].as_slice()[5000..].iter().all(|&byte| byte == 0));
}

#[test]
fn image() {
    let file = TempFile::new("image", 1 << 20);
    let image = Image::open(&file.open(), 0).unwrap();
    let memory = image.alloc(MemoryKind::Memfd).unwrap();

    assert_eq!(image.blocks(), [("ram".to_string(), 1 << 20)]);
    let job = session().load_image(&image, memory).unwrap();
    drop(image);
    assert!(job.wait().unwrap()[0].as_slice() == file.1);
}

#[test]
fn short_file() {
    let file = TempFile::new("short", 5000);
    let memory = Memory::alloc(MemoryKind::Memfd, 8192).unwrap();
    let job = session().load(&file.open(), 0, 8192, memory).unwrap();

    // ENODATA: the file ends too early.
    assert_eq!(job.wait().unwrap_err().raw_os_error(), Some(61));
}

#[test]
fn too_little_memory() {
    let file = TempFile::new("little", 8192);
    let image = Image::open(&file.open(), 0).unwrap();
    let memory = Memory::alloc(MemoryKind::Memfd, 4096).unwrap();

    for memory in [vec![memory], vec![]] {
        let err = session().load_image(&image, memory).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::InvalidInput);
    }
}

#[test]
fn no_image() {
    let file = TempFile::new("none", 1000);
    let err = Image::open(&file.open(), 0).unwrap_err();

    assert_eq!(err.kind(), ErrorKind::InvalidInput);
    assert!(err.to_string().contains("not an image"), "{err}");
}

#[test]
fn dropped_and_cancelled() {
    let file = TempFile::new("dropped", 1 << 20);
    let session = session();

    for cancel in [false, true] {
        let memory = Memory::alloc(MemoryKind::Memfd, 1 << 20).unwrap();
        let job = session.load(&file.open(), 0, u64::MAX, memory).unwrap();
        if cancel {
            job.cancel();
            while !job.is_done() {
                std::thread::yield_now();
            }
            assert!(job.bytes_done() <= 1 << 20);
        }
    }
}
