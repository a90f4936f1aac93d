//! Many names, prepared to be compared.

use datafusion::common::HashMap;

use super::letters::cleaned;

/// The number of the blank between two words; letters count from 1.
pub(super) const BLANK: u32 = 0;

/// Names as sets of numbered words, words as numbered letters.
///
/// Memory: 4 bytes a letter of each different word, 4 a word of each name.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// Words by name, ascending, each once. A word's number is its place among all
    /// words in the order of their bytes.
    words: Parts,
    /// Letters by word.
    letters: Parts,
    /// Letters there are, the blank among them.
    alphabet: usize,
    /// By name, the letters of its words, joined by blanks.
    lengths: Vec<usize>,
}

/// Lists of numbers, one after the other.
#[derive(Debug, Default)]
struct Parts {
    numbers: Vec<u32>,
    ends: Vec<usize>,
}

impl Parts {
    fn end(&mut self) {
        self.ends.push(self.numbers.len());
    }

    fn get(&self, place: usize) -> &[u32] {
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.numbers[start..self.ends[place]]
    }

    fn len(&self) -> usize {
        self.ends.len()
    }
}

impl Names {
    /// Prepares names; they are numbered as they come.
    pub(crate) fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Names {
        let mut numbers = HashMap::new();
        let mut words = Parts::default();
        let mut text = String::new();
        for name in texts {
            cleaned(name, &mut text);
            for word in text.split(' ').filter(|word| !word.is_empty()) {
                words.numbers.push(number(&mut numbers, word));
            }
            words.end();
        }
        let mut vocabulary: Vec<(String, u32)> = numbers.into_iter().collect();
        vocabulary.sort_unstable();
        let (letters, alphabet) = spelled(&vocabulary);
        let words = ordered(&words, &vocabulary);
        let lengths = (0..words.len()).map(|name| joined(words.get(name), &letters));
        Names {
            lengths: lengths.collect(),
            words,
            letters,
            alphabet,
        }
    }

    /// Returns how many names there are.
    pub(crate) fn len(&self) -> usize {
        self.words.len()
    }

    /// Returns the numbers of a name's words, ascending.
    pub(crate) fn words(&self, name: usize) -> &[u32] {
        self.words.get(name)
    }

    /// Returns the letters of a name's words, joined by blanks.
    pub(crate) fn length(&self, name: usize) -> usize {
        self.lengths[name]
    }

    /// Returns the numbers of a word's letters; none is 0, each is below
    /// [`Names::alphabet`].
    pub(crate) fn letters(&self, word: u32) -> &[u32] {
        self.letters.get(word as usize)
    }

    /// Returns how many different words there are.
    pub(crate) fn vocabulary(&self) -> usize {
        self.letters.len()
    }

    /// Returns the number above that of all letters.
    pub(crate) fn alphabet(&self) -> usize {
        self.alphabet
    }
}

fn number(numbers: &mut HashMap<String, u32>, word: &str) -> u32 {
    if let Some(&number) = numbers.get(word) {
        return number;
    }
    let number = numbers.len() as u32;
    numbers.insert(word.to_owned(), number);
    number
}

/// Numbers the letters of all words; returns them by word and how many there are.
fn spelled(vocabulary: &[(String, u32)]) -> (Parts, usize) {
    let mut alphabet: HashMap<char, u32> = HashMap::new();
    let mut letters = Parts::default();
    for (word, _) in vocabulary {
        for letter in word.chars() {
            let next = alphabet.len() as u32 + BLANK + 1;
            letters
                .numbers
                .push(*alphabet.entry(letter).or_insert(next));
        }
        letters.end();
    }
    (letters, alphabet.len() + 1)
}

/// Gives each word its place in the vocabulary for a number.
fn ordered(words: &Parts, vocabulary: &[(String, u32)]) -> Parts {
    let mut places = vec![0; vocabulary.len()];
    for (place, (_, number)) in vocabulary.iter().enumerate() {
        places[*number as usize] = place as u32;
    }
    let mut ordered = Parts::default();
    let mut of_name = Vec::new();
    for name in 0..words.len() {
        of_name.clear();
        of_name.extend(words.get(name).iter().map(|word| places[*word as usize]));
        of_name.sort_unstable();
        of_name.dedup();
        ordered.numbers.extend_from_slice(&of_name);
        ordered.end();
    }
    ordered
}

fn joined(words: &[u32], letters: &Parts) -> usize {
    let lengths = words
        .iter()
        .map(|word| letters.get(*word as usize).len() + 1);
    lengths.sum::<usize>().saturating_sub(1)
}
