//! Which names are one to a search and to the look for duplicates, and which are not.

use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization;

use super::normalise_for_search;

/// Each pair is one name.
const SAME: [(&str, &str); 78] = [
    // Case, spacing, hyphens, apostrophes and other punctuation.
    ("Ada Lovelace", "ADA LOVELACE"),
    ("Ada Lovelace", "  ada\u{a0}\u{2003}lovelace "),
    ("Anne-Marie Durand", "Anne Marie Durand"),
    ("Anne-Marie Durand", "AnneMarie Durand"),
    ("Anne\u{2010}Marie", "Anne\u{2013}Marie"),
    ("Sinéad O'Connor", "Sinead O\u{2019}Connor"),
    ("Sinéad O'Connor", "SINEAD OCONNOR"),
    ("D\u{2bc}Angelo", "D`Angelo"),
    ("Kamehameha \u{2bb}Iolani", "Kamehameha Iolani"),
    ("Martin Luther King, Jr.", "Martin Luther King Jr"),
    ("Ludwig van der Berg", "Ludwig Vanderberg"),
    ("Ian McDonald", "Ian Mc Donald"),
    ("Ada (Countess) King", "Ada Countess King"),
    // Characters that can't be seen, other forms of one character, and marks in any order.
    ("A\u{200b}d\u{ad}a", "Ada"),
    ("Ada\u{200d}\u{fe0f}", "Ada"),
    ("Ａｄａ　Ｌｏｖｅｌａｃｅ", "Ada Lovelace"),
    ("ﾔﾏﾀﾞ ﾀﾛｳ", "ヤマダタロウ"),
    ("Zoe\u{308}", "Zo\u{eb}"),
    ("Nguye\u{302}\u{303}n", "Nguyễn"),
    ("Nguye\u{303}\u{302}n", "Nguyễn"),
    ("Nguyễn Văn Đức", "NGUYEN VAN DUC"),
    ("a\u{323}\u{307}", "a\u{307}\u{323}"),
    ("ﬁona Griﬃn", "Fiona Griffin"),
    ("Ǆordan", "DZordan"),
    // The Latin letters of ICAO Doc 9303-3, section 6 A, by each spelling that a state may choose.
    ("Müller", "MUELLER"),
    ("Müller", "Muller"),
    ("Müller", "MUXXLLER"),
    ("Mueller", "Muller"),
    ("Jörg Schröder", "Joerg Schroeder"),
    ("Jörg Schröder", "Jorg Schroder"),
    ("Bäcker", "Baecker"),
    ("Weiß", "WEISS"),
    ("Weiß", "Weiẞ"),
    ("Søren Kierkegård", "Soeren Kierkegaard"),
    ("Søren Kierkegård", "Soren Kierkegard"),
    ("Ærø Åberg", "Aeroe Aaberg"),
    ("Œuvray", "OEUVRAY"),
    ("Muñoz", "MUNOZ"),
    ("Muñoz", "MUNXXOZ"),
    ("Þór Guðmundsson", "THOR GUDMUNDSSON"),
    ("Łukasz Wałęsa", "Lukasz Walesa"),
    ("Željko Đurić", "Zeljko Duric"),
    ("Ștefan Țepeș", "Stefan Tepes"),
    ("İbrahim Yıldız", "Ibrahim Yildiz"),
    ("IŞIK", "ışık"),
    ("Dvořák", "Dvorak"),
    ("Ħal Ŋor Ŧeo", "Hal Nor Teo"),
    ("Ĳsbrand", "IJsbrand"),
    // Cyrillic, section 6 B.
    ("Владимир", "VLADIMIR"),
    ("Влади\u{301}мир", "Владимир"),
    ("Сергей Щукин", "SERGEI SHCHUKIN"),
    ("Сергей", "Sergey"),
    ("Сергеи\u{306}", "Сергей"),
    ("Артём Хачатурян", "ARTEM KHACHATURIAN"),
    ("Юлия Цветаева", "IULIIA TSVETAEVA"),
    ("Юлия Цветаева", "Yuliya Tsvetaeva"),
    ("Ильич", "ILICH"),
    ("Володимир Зеленський", "VOLODYMYR ZELENSKYI"),
    ("Володимир Зеленський", "Volodymyr Zelenskyy"),
    ("Юлія Євтушенко", "YULIIA YEVTUSHENKO"),
    ("Ігор Григорук", "IHOR HRYHORUK"),
    ("Їжакевич Іван", "YIZHAKEVYCH IVAN"),
    ("Ђорђе Живковић", "Đorđe Živković"),
    ("Љубиша Његош", "LJUBISA NJEGOS"),
    ("Ѓорѓи Ќосев", "GJORGJI KJOSEV"),
    ("Ўладзімір", "ULADZIMIR"),
    // Greek.
    ("Νίκος Παπαδόπουλος", "NIKOS PAPADOPOULOS"),
    ("Νίκος", "ΝΙΚΟΣ"),
    ("Ευάγγελος Μπάρμπας", "Evangelos Barmpas"),
    ("Θεοδώρα Ψαρρά", "THEODORA PSARRA"),
    ("Ευτυχία Χρυσάφη", "Eftychia Chrysafi"),
    ("Μαΐου", "MAIOU"),
    // Arabic, section 6 C.
    ("أحمد", "احمد"),
    ("مُحَمَّد", "محمد"),
    ("محـمد", "محمد"),
    ("محمد", "MXHMD"),
    ("أحمد", "XAEXHMD"),
    ("فاطمة", "FAXTTMXAH"),
];

/// No pair is one name.
const OTHER: [(&str, &str); 26] = [
    ("Ada Lovelace", "Ada Lovelac"),
    ("Ada Lovelace", "Lovelace Ada"),
    ("Ada Lovelace", "Ada King"),
    ("Anna Eriksson", "Anna Maria Eriksson"),
    ("Erikson", "Eriksson"),
    ("Müller", "Miller"),
    ("Müller", "Möller"),
    ("Jan Novak", "Jana Novak"),
    ("Weiß", "Weise"),
    ("Søren", "Saren"),
    ("Guðmundur", "Guthmundur"),
    ("Владимир", "Владислав"),
    ("Сергей", "Сергеев"),
    ("Щукин", "Шукин"),
    ("Νίκος", "Νίκη"),
    ("Παπαδόπουλος", "Παπαδοπούλου"),
    ("محمد", "محمود"),
    ("أحمد", "حامد"),
    ("李小龍", "李小明"),
    ("李小龍", "小龍李"),
    ("राम", "रमा"),
    ("が", "か"),
    ("ヤマダ", "ヤマタ"),
    ("김철수", "김철호"),
    ("William 3rd", "William 2nd"),
    ("\u{301}", "\u{302}"),
];

#[test]
fn a_name_is_one_whatever_its_case_accents_spacing_and_script() {
    for (one, other) in SAME {
        assert_eq!(normalise_for_search(one), normalise_for_search(other), "{one} / {other}");
    }
}

#[test]
fn another_name_is_another_one() {
    for (one, other) in OTHER {
        assert_ne!(normalise_for_search(one), normalise_for_search(other), "{one} / {other}");
    }
}

#[test]
fn scripts_without_rules_stay_as_they_are() {
    for (text, form) in [("李 小龍", "李小龍"), ("ՀԱՅԿ", "հայկ"), ("김철수", "김철수"), ("नरेन्द्र", "नरेन्द्र")]
    {
        assert_eq!(normalise_for_search(text), form);
    }
}

#[test]
fn nothing_but_nothing_becomes_nothing() {
    assert_eq!(normalise_for_search(""), "");
    for text in ["-", "'", "\u{301}", "(!)", "😀", "\u{200b}", "Ь", "\u{640}"] {
        assert_ne!(normalise_for_search(text), "", "{text:?}");
    }
}

#[test]
fn every_character_has_a_form_that_is_its_own_form() {
    for c in '\0'..=char::MAX {
        let form = normalise_for_search(&c.to_string());
        assert!(!form.is_empty(), "{c:?}");
        assert_eq!(normalise_for_search(&form), form, "{c:?}");
    }
}

/// Letters that the rules tell apart, together with any others.
fn likely() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[aeiouynxAEÄÖÜÅØŒ'\u{308}\u{30a} -]{0,12}",
        "[АЕИЙІЇЄЎЂЋЬЪ\u{306}\u{308}]{0,8}",
        "[ΑΕΗΟΥΓΞΧΜΠΝΤ\u{301}\u{308} ]{0,8}",
        "[اأإآةيىمـ\u{64e}\u{651}\u{654} ]{0,8}",
        "[が\u{3099}\u{302}Ａ\u{200b}ﬁ\u{1100}-\u{11ff}]{0,8}",
    ]
}

proptest! {
    #[test]
    fn a_form_is_its_own_form_and_never_empty(text in likely()) {
        let form = normalise_for_search(&text);
        prop_assert_eq!(&normalise_for_search(&form), &form);
        prop_assert_eq!(form.is_empty(), text.is_empty());
        prop_assert_eq!(&normalise_for_search(&text.nfd().collect::<String>()), &form);
        prop_assert_eq!(&normalise_for_search(&text.nfc().collect::<String>()), &form);
    }
}
