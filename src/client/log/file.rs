//! A log file of bounded size: when it is full it is set aside as `name.1`, what was there as `name.2`, and so on.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

pub(super) struct RotatingFile {
    path: String,
    largest: u64,
    kept: u32,
    /// The file and its size.
    open: Option<(File, u64)>,
    /// A failure has left the beginning of a line in it.
    is_torn: bool,
}

impl RotatingFile {
    pub fn new(path: &str, largest: u64, kept: u32) -> Self {
        RotatingFile { path: path.to_owned(), largest, kept, open: None, is_torn: false }
    }

    pub fn path(&self) -> &str {
        &self.path
    }

    /// Somebody may have moved or deleted the file that is open: nobody would find there what is still written.
    pub fn begin_anew_if_gone(&mut self) {
        if self.open.is_some() && !Path::new(&self.path).exists() {
            self.open = None;
        }
    }

    /// Writes lines, and says how many of them are there in full. After a failure it can be tried again.
    pub fn write(&mut self, lines: &[String]) -> (usize, io::Result<()>) {
        let mut written = 0;
        let result = self.write_counting(lines, &mut written);
        if result.is_err() {
            self.open = None;
        }
        (written, result)
    }

    fn write_counting(&mut self, lines: &[String], written: &mut usize) -> io::Result<()> {
        let mut together = Vec::new();
        for line in lines {
            let size = self.open()?.1 + together.len() as u64;
            if size > 0 && size + line.len() as u64 + 1 > self.largest {
                self.append(&mut together, written)?;
                self.rotate()?;
            }
            together.extend_from_slice(line.as_bytes());
            together.push(b'\n');
        }
        self.append(&mut together, written)
    }

    fn append(&mut self, lines: &mut Vec<u8>, written: &mut usize) -> io::Result<()> {
        let is_torn = self.is_torn;
        let (file, size) = self.open()?;
        if is_torn {
            file.write_all(b"\n")?;
        }
        let (bytes, result) = write_what_fits(file, lines);
        *size += bytes as u64;
        *written += lines[..bytes].iter().filter(|byte| **byte == b'\n').count();
        self.is_torn = bytes > 0 && lines[bytes - 1] != b'\n';
        lines.clear();
        result
    }

    /// The file and its size, as it is or opened anew.
    fn open(&mut self) -> io::Result<&mut (File, u64)> {
        let open = match self.open.take() {
            Some(open) => open,
            None => {
                let file = OpenOptions::new().append(true).create(true).open(&self.path)?;
                let size = file.metadata()?.len();
                (file, size)
            }
        };
        Ok(self.open.insert(open))
    }

    fn rotate(&mut self) -> io::Result<()> {
        self.open = None;
        // Beyond the first gap nothing is in the way. An attempt that fails leaves one, as Windows renames no file that another
        // program has open; further attempts must not move the rest out, file by file.
        let in_the_way = (1..self.kept).take_while(|&number| self.set_aside(number).exists()).count() as u32;
        for number in (1..=in_the_way).rev() {
            rename(&self.set_aside(number), &self.set_aside(number + 1))?;
        }
        rename(Path::new(&self.path), &self.set_aside(1))?;
        // More may have been kept before, one behind the other.
        let is_removed = |number: &u32| fs::remove_file(self.set_aside(*number)).is_ok();
        (self.kept + 1..).take_while(is_removed).for_each(drop);
        Ok(())
    }

    fn set_aside(&self, number: u32) -> PathBuf {
        format!("{}.{number}", self.path).into()
    }
}

/// Says how many bytes were written, also when the rest can't be.
fn write_what_fits(file: &mut impl Write, bytes: &[u8]) -> (usize, io::Result<()>) {
    let mut written = 0;
    while written < bytes.len() {
        match file.write(&bytes[written..]) {
            Ok(0) => return (written, Err(ErrorKind::WriteZero.into())),
            Ok(count) => written += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return (written, Err(error)),
        }
    }
    (written, Ok(()))
}

/// Renames a file, if it is there.
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_without_a_line_is_set_aside() {
        let folder = std::env::temp_dir().join(format!("mt5mqtt-log-long-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("client.log");
        let mut file = RotatingFile::new(path.to_str().unwrap(), 10, 3);
        // Each is longer than the whole file is to be.
        file.write(&["x".repeat(20), "y".repeat(20)]).1.unwrap();
        let exists = |number: u32| folder.join(format!("client.log.{number}")).exists();
        assert!(path.exists() && exists(1) && !exists(2));
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_program_that_starts_again_and_again_keeps_the_file_within_its_bound() {
        let folder = std::env::temp_dir().join(format!("mt5mqtt-log-starts-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("client.log");
        let sizes = (0..12).map(|_| {
            let mut file = RotatingFile::new(path.to_str().unwrap(), 100, 1);
            file.write(&["x".repeat(39)]).1.unwrap();
            fs::metadata(&path).unwrap().len()
        });
        assert_eq!(sizes.collect::<Vec<_>>(), [40, 80].repeat(6));
        fs::remove_dir_all(&folder).unwrap();
    }
}
