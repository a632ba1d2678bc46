//! Files that hold what people sent: the owner's to write, the group's to read, nobody else's.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// Rights of a new file, less what the umask takes. The store's group may ask it, so its files need the group;
/// tcpdump leaves all to the umask, dumpcap gives 0600, or 0640 where it is asked to.
#[cfg(unix)]
const MODE: u32 = 0o640;

/// `options`, creating with these rights. A file that is there, a FIFO or a device keeps its own.
pub(crate) fn options(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, MODE);
    options
}

/// [`File::create`] with these rights.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    options(OpenOptions::new().write(true).create(true).truncate(true)).open(path)
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_new_file_is_for_nobody_else_and_an_old_one_keeps_its_rights() {
        let folder = tempfile::tempdir().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let (new, old) = (folder.path().join("new"), folder.path().join("old"));
        fs::write(&old, "before").unwrap();
        fs::set_permissions(&old, fs::Permissions::from_mode(0o664)).unwrap();
        create(&new).unwrap();
        create(&old).unwrap();
        assert_eq!(mode(&new) & !MODE, 0);
        assert_eq!(mode(&new) & 0o600, 0o600);
        assert_eq!((mode(&old), fs::read(&old).unwrap().len()), (0o664, 0));
        assert!(options(OpenOptions::new().write(true).create_new(true)).open(&new).is_err());
    }
}
