//! The table of handles (src/client/slots.rs), which nobody locks: no two values share a place, one of several takes a value
//! out, and no place is forgotten.

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

const PLACES: usize = 3;
/// Below it stands the place, above it how often a value was taken out.
const COUNT: usize = 1 << 8;

struct Slots {
    /// Whether `first_free` counts. Without that it can be put forward by one who has not seen that a place below became
    /// free: the number was the same before and after.
    counts: bool,
    /// The handle of each value; 0 is nothing.
    places: [AtomicUsize; PLACES],
    first_free: AtomicUsize,
}

impl Slots {
    fn new(counts: bool) -> Arc<Self> {
        let places = std::array::from_fn(|_| AtomicUsize::new(0));
        Arc::new(Slots { counts, places, first_free: AtomicUsize::new(0) })
    }

    /// Returns the place.
    fn insert(&self, handle: usize) -> usize {
        let first_free = self.first_free.load(Ordering::Acquire);
        for index in first_free % COUNT..PLACES {
            if self.places[index].load(Ordering::Acquire) != 0 {
                continue;
            }
            let place = &self.places[index];
            if place.compare_exchange(0, handle, Ordering::AcqRel, Ordering::Acquire).is_ok() {
                let next = first_free - first_free % COUNT + index + 1;
                let _ = self.first_free.compare_exchange(first_free, next, Ordering::AcqRel, Ordering::Acquire);
                return index;
            }
        }
        panic!("no place for {handle}");
    }

    fn remove(&self, index: usize, handle: usize) -> bool {
        let place = &self.places[index];
        if place.load(Ordering::Acquire) != handle
            || place.compare_exchange(handle, 0, Ordering::AcqRel, Ordering::Acquire).is_err()
        {
            return false;
        }
        let count = if self.counts { COUNT } else { 0 };
        let lower = |known: usize| Some(known - known % COUNT + count + index.min(known % COUNT));
        let _ = self.first_free.fetch_update(Ordering::AcqRel, Ordering::Acquire, lower);
        true
    }

    /// Everybody is done: what is empty is found by the next search.
    fn check(&self) {
        let first_free = self.first_free.load(Ordering::Acquire) % COUNT;
        for (index, place) in self.places.iter().enumerate() {
            assert!(index >= first_free || place.load(Ordering::Acquire) != 0, "place {index} is forgotten");
        }
    }
}

#[test]
fn two_values_get_a_place_each() {
    loom::model(|| {
        let slots = Slots::new(true);
        let other = slots.clone();
        let thread = thread::spawn(move || other.insert(1));
        let mine = slots.insert(2);
        let others = thread.join().unwrap();
        assert_ne!(mine, others);
        assert_eq!(slots.places[mine].load(Ordering::Acquire), 2);
        assert_eq!(slots.places[others].load(Ordering::Acquire), 1);
        slots.check();
    });
}

#[test]
fn of_two_that_take_a_value_out_one_gets_it_and_its_successor_stays() {
    loom::model(|| {
        let slots = Slots::new(true);
        let place = slots.insert(1);
        let other = slots.clone();
        let thread = thread::spawn(move || {
            let taken = other.remove(place, 1);
            // The place may have a new value by now, which the other one must not take.
            if taken {
                other.insert(2);
            }
            taken
        });
        let mine = slots.remove(place, 1);
        assert!(mine != thread.join().unwrap());
        let left = slots.places.iter().filter(|place| place.load(Ordering::Acquire) == 2).count();
        assert_eq!(left, usize::from(!mine));
        slots.check();
    });
}

fn one_goes_while_another_comes(counts: bool) {
    loom::model(move || {
        let slots = Slots::new(counts);
        // One place is taken, and was found from the beginning.
        slots.places[0].store(1, Ordering::Release);
        let other = slots.clone();
        let thread = thread::spawn(move || assert!(other.remove(0, 1)));
        slots.insert(2);
        thread.join().unwrap();
        slots.check();
    });
}

#[test]
fn a_place_that_becomes_free_meanwhile_is_not_forgotten() {
    one_goes_while_another_comes(true);
}

#[test]
#[should_panic(expected = "is forgotten")]
fn without_the_count_it_might_be() {
    one_goes_while_another_comes(false);
}
