//! A file that appears whole or not at all: written beside, synced, renamed, directory synced.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::private;

/// Writes to `.NAME.part` beside `NAME`; dropped before [`DurableFile::commit`], it removes it.
#[derive(Debug)]
pub struct DurableFile {
    path: PathBuf,
    part: PathBuf,
    out: Option<BufWriter<File>>,
}

impl DurableFile {
    /// Creates the part file, over a left-over one.
    pub fn create(path: &Path) -> Result<Self, Error> {
        let part = part_path(path)?;
        let file = private::create(&part).map_err(at(path))?;
        let out = Some(BufWriter::with_capacity(1 << 18, file));
        Ok(Self { path: path.to_owned(), part, out })
    }

    /// The name the file will have.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the file last and gives it its name; returns it with its size in bytes.
    pub fn commit(mut self) -> Result<(File, u64), Error> {
        let out = self.out.take().ok_or_else(closed).map_err(at(&self.path))?;
        let file = out.into_inner().map_err(|error| at(&self.path)(error.into_error()));
        match file.and_then(|file| self.publish(file)) {
            Ok(done) => Ok(done),
            Err(error) => {
                let _ = fs::remove_file(&self.part);
                Err(error)
            }
        }
    }

    fn publish(&self, file: File) -> Result<(File, u64), Error> {
        file.sync_all().map_err(at(&self.path))?;
        let size = file.metadata().map_err(at(&self.path))?.len();
        fs::rename(&self.part, &self.path).map_err(at(&self.path))?;
        sync_directory(&self.path)?;
        Ok((file, size))
    }
}

impl Write for DurableFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.as_mut().ok_or_else(closed)?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.as_mut().ok_or_else(closed)?.flush()
    }
}

impl Drop for DurableFile {
    fn drop(&mut self) {
        if self.out.take().is_some() {
            let _ = fs::remove_file(&self.part);
        }
    }
}

/// Names the file an I/O error is about.
pub(super) fn at(path: &Path) -> impl Fn(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::File { path: path.clone(), source }
}

fn closed() -> io::Error {
    io::Error::other("the file is closed already")
}

/// `.NAME.part`: hidden, so that no `*.parquet` glob meets an unfinished file.
fn part_path(path: &Path) -> Result<PathBuf, Error> {
    let no_name = || io::Error::new(io::ErrorKind::InvalidInput, "not a file name");
    let name = path.file_name().ok_or_else(no_name).map_err(at(path))?;
    let mut part = std::ffi::OsString::from(".");
    part.push(name);
    part.push(".part");
    Ok(path.with_file_name(part))
}

/// A rename lasts once its directory is on disk.
#[cfg(unix)]
fn sync_directory(path: &Path) -> Result<(), Error> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(parent).and_then(|directory| directory.sync_all()).map_err(at(parent))
}

/// Elsewhere directories cannot be opened as files; the file system's journal has to do.
#[cfg(not(unix))]
fn sync_directory(_path: &Path) -> Result<(), Error> {
    Ok(())
}
