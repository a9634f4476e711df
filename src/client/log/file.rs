//! A log file of bounded size: when it is full it is set aside as `name.1`, what was there as `name.2`, and so on.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

pub(super) struct RotatingFile {
    path: String,
    largest: u64,
    kept: u32,
    open: Option<(BufWriter<File>, u64)>,
}

impl RotatingFile {
    pub fn new(path: &str, largest: u64, kept: u32) -> Self {
        RotatingFile { path: path.to_owned(), largest, kept, open: None }
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

    pub fn write(&mut self, line: &str) -> io::Result<()> {
        let size = line.len() as u64 + 1;
        let (_, written) = self.open()?;
        if *written > 0 && *written + size > self.largest {
            self.rotate()?;
        }
        let (file, written) = self.open()?;
        *written += size;
        file.write_all(line.as_bytes())?;
        file.write_all(b"\n")
    }

    /// The file and its size, as it is or opened anew.
    fn open(&mut self) -> io::Result<&mut (BufWriter<File>, u64)> {
        let open = match self.open.take() {
            Some(open) => open,
            None => {
                let file = OpenOptions::new().append(true).create(true).open(&self.path)?;
                let written = file.metadata()?.len();
                (BufWriter::new(file), written)
            }
        };
        Ok(self.open.insert(open))
    }

    pub fn flush(&mut self) -> io::Result<()> {
        self.open.as_mut().map_or(Ok(()), |(file, _)| file.flush())
    }

    fn rotate(&mut self) -> io::Result<()> {
        self.flush()?;
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
    fn a_program_that_starts_again_and_again_keeps_the_file_within_its_bound() {
        let folder = std::env::temp_dir().join(format!("mt5mqtt-log-starts-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("client.log");
        let sizes = (0..12).map(|_| {
            let mut file = RotatingFile::new(path.to_str().unwrap(), 100, 1);
            file.write(&"x".repeat(39)).unwrap();
            file.flush().unwrap();
            fs::metadata(&path).unwrap().len()
        });
        assert_eq!(sizes.collect::<Vec<_>>(), [40, 80].repeat(6));
        fs::remove_dir_all(&folder).unwrap();
    }
}
