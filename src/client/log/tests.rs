//! Lines, which of them are made, and how they come into files that rotate, are taken away or can't be written.

use super::*;

fn settings(file: Option<String>) -> LogSettings {
    LogSettings { level: Level::Info as i64, events: true, file, file_bytes: 300, files: 2 }
}

#[test]
fn a_line_has_time_level_client_and_no_second_line_in_it() {
    let mut line = head(1_764_100_301_123_456, Level::Warning, "EA 1");
    push_clean(&mut line, "what\nhappened\u{7}");
    assert_eq!(line, r"2025-11-25T19:51:41.123Z warning [EA 1] what\nhappened\u{7}");
    push_clean(&mut line, &"x".repeat(1_000_000));
    assert!(line.len() < 2100);
}

#[test]
fn only_wanted_levels_are_made() {
    let log = Log::new(settings(None));
    assert!(log.wants(Level::Error) && log.wants(Level::Info) && !log.wants(Level::Debug));
    log.set(LogSettings { level: 0, ..settings(None) });
    assert!(!log.wants(Level::Error));
    log.set(LogSettings { events: false, ..settings(None) });
    assert!(log.add(Level::Info, "x").event.is_none());
}

#[test]
fn files_rotate_and_a_bounded_number_is_kept() {
    let folder = std::env::temp_dir().join(format!("mt5mqtt-log-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("client.log");
    let log = Log::new(settings(Some(path.to_str().unwrap().to_owned())));
    for number in 0..40 {
        let added = log.add(Level::Info, &format!("line {number:02}"));
        assert_eq!(added.wake, number % 2 == 0);
        if number % 2 == 1 {
            assert_eq!(log.write(), None);
        }
    }
    let mut names: Vec<String> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["client.log", "client.log.1", "client.log.2"]);
    let text: String = ["client.log.2", "client.log.1", "client.log"]
        .map(|name| std::fs::read_to_string(folder.join(name)).unwrap())
        .concat();
    let lines: Vec<&str> = text.lines().map(|line| line.split("] ").last().unwrap()).collect();
    assert!(lines.len() > 10 && lines.last() == Some(&"line 39"), "{lines:?}");
    assert!(lines.windows(2).all(|pair| pair[0] < pair[1]), "{lines:?}");
    std::fs::remove_dir_all(&folder).unwrap();
    // The folder is gone: said once, and nothing piles up.
    log.set(LogSettings { file: Some(folder.join("x").to_str().unwrap().to_owned()), ..settings(None) });
    log.add(Level::Info, "x");
    assert!(log.write().unwrap().contains("can't be written"));
    assert!(!log.add(Level::Info, "x").wake && log.write().is_none());
}

/// A folder of this test's own, and the settings for a file in it.
fn in_folder(name: &str) -> (std::path::PathBuf, LogSettings) {
    let folder = std::env::temp_dir().join(format!("mt5mqtt-log-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("client.log").to_str().unwrap().to_owned();
    (folder, settings(Some(path)))
}

#[test]
fn the_size_of_an_open_file_can_be_changed() {
    let (folder, settings) = in_folder("size");
    let log = Log::new(LogSettings { file_bytes: 1_000_000, ..settings.clone() });
    for number in 0..20 {
        if number == 10 {
            log.set(settings.clone());
        }
        log.add(Level::Info, &"x".repeat(100));
        assert_eq!(log.write(), None);
    }
    assert!(folder.join("client.log.2").exists(), "a file of 300 bytes has two of these lines");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn files_that_were_kept_before_are_deleted_when_fewer_shall_be() {
    let (folder, settings) = in_folder("fewer");
    let log = Log::new(LogSettings { files: 5, ..settings.clone() });
    let exists = |number: u32| folder.join(format!("client.log.{number}")).exists();
    for number in 0..20 {
        if number == 15 {
            assert!(exists(5));
            log.set(settings.clone());
        }
        log.add(Level::Info, &"x".repeat(200));
        assert_eq!(log.write(), None);
    }
    assert_eq!([1, 2, 3, 4, 5].map(exists), [true, true, false, false, false]);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn files_beyond_a_gap_stay_where_they_are() {
    let (folder, settings) = in_folder("gap");
    let mut file = RotatingFile::new(settings.file.as_ref().unwrap(), 300, 3);
    let mut write = |letter: &str| file.write(&[letter.repeat(200)]).1.unwrap();
    ["a", "b", "c"].into_iter().for_each(&mut write);
    std::fs::remove_file(folder.join("client.log.1")).unwrap();
    write("d");
    let first = |number: u32| std::fs::read(folder.join(format!("client.log.{number}"))).map(|text| text[0]).ok();
    assert_eq!([1, 2, 3].map(first), [Some(b'c'), Some(b'a'), None]);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_file_that_somebody_took_away_is_begun_anew() {
    let (folder, settings) = in_folder("gone");
    let log = Log::new(settings);
    let path = folder.join("client.log");
    let add = |text: &str| {
        log.add(Level::Info, text);
        assert_eq!(log.write(), None);
    };
    add("before");
    std::fs::rename(&path, folder.join("taken.log")).unwrap();
    add("after");
    assert!(std::fs::read_to_string(&path).is_ok_and(|text| text.ends_with("after\n")));
    // Between two lines that are written together, too.
    let mut file = RotatingFile::new(path.to_str().unwrap(), 300, 2);
    file.write(&["x".repeat(200)]).1.unwrap();
    std::fs::remove_file(&path).unwrap();
    file.write(&["y".repeat(200)]).1.unwrap();
    assert!(std::fs::read_to_string(&path).is_ok_and(|text| text.ends_with("y\n")));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_line_wakes_also_when_an_earlier_one_waited_for_a_file_that_is_no_more() {
    let (folder, settings) = in_folder("none");
    let log = Log::new(settings.clone());
    assert!(log.add(Level::Info, "for nobody").wake);
    log.set(LogSettings { file: None, ..settings.clone() });
    assert_eq!(log.write(), None);
    log.set(settings);
    assert!(log.add(Level::Info, "first").wake);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn of_lines_that_are_written_together_only_those_are_lost_that_are_not_there() {
    let (folder, settings) = in_folder("together");
    let in_the_way = folder.join("client.log.1/held");
    std::fs::create_dir_all(&in_the_way).unwrap();
    let log = Log::new(LogSettings { files: 1, ..settings.clone() });
    // Two of them have room in the file; then it has to be set aside, which can't be.
    (1..=5).for_each(|_| drop(log.add(Level::Info, &"x".repeat(100))));
    assert!(log.write().is_some_and(|why| why.contains("can't be written")));
    std::fs::remove_dir_all(in_the_way.parent().unwrap()).unwrap();
    log.set(LogSettings { file_bytes: 1000, ..settings });
    log.add(Level::Info, "back");
    assert_eq!(log.write(), None);
    let text = std::fs::read_to_string(folder.join("client.log")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.len() == 4 && lines[3] == "3 lines were lost", "{text}");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_file_that_could_not_be_written_is_tried_again_and_says_what_is_missing() {
    let (folder, settings) = in_folder("again");
    std::fs::remove_dir_all(&folder).unwrap();
    let log = Log::new(settings.clone());
    let time_is_over = || log.inner.lock().retry = Some(clock::now());
    log.add(Level::Info, "a");
    assert!(log.write().is_some_and(|why| why.contains("can't be written")));
    assert!(!log.add(Level::Info, "b").wake);
    time_is_over();
    assert!(log.add(Level::Info, "c").wake);
    assert_eq!(log.write(), None, "it is said already");
    for changed in [settings.clone(), LogSettings { level: Level::Debug as i64, ..settings.clone() }] {
        log.set(changed);
        assert!(log.add(Level::Info, "tried again").wake);
        assert_eq!(log.write(), None, "it is said already");
    }
    log.set(LogSettings { file: settings.file.as_ref().map(|file| format!("{file}-2")), ..settings.clone() });
    log.add(Level::Info, "elsewhere");
    assert!(log.write().is_some_and(|why| why.contains("client.log-2")), "that is another file");
    log.set(settings.clone());
    log.add(Level::Info, "here");
    assert!(log.write().is_some_and(|why| !why.contains("client.log-2")));
    std::fs::create_dir_all(&folder).unwrap();
    assert!(!log.add(Level::Info, "d").wake);
    // Or when it is named again.
    log.set(settings);
    assert!(log.add(Level::Info, "back").wake);
    assert_eq!(log.write(), None);
    let text = std::fs::read_to_string(folder.join("client.log")).unwrap_or_default();
    assert!(text.contains("] back\n") && text.ends_with("8 lines were lost\n"), "{text}");
    std::fs::remove_dir_all(&folder).unwrap();
    log.add(Level::Info, "gone");
    assert!(log.write().is_some_and(|why| why.contains("can't be written")), "it is said anew");
}
