//! Names for made-up people in many scripts, put together from syllables, each with a Latin spelling for the login.

use crate::random::Random;

/// A person's name as the identity provider has it, and its plain Latin spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The given name; empty for people who have one name only.
    pub given: String,
    /// The family name, or the only name.
    pub family: String,
    /// The whole name in the order of the person's language.
    pub display: String,
    /// The given name in lower-case ASCII.
    pub given_latin: String,
    /// The family name in lower-case ASCII, perhaps with an apostrophe or a hyphen.
    pub family_latin: String,
    /// The person's language and country, as in `ja-JP`.
    pub locale: &'static str,
}

/// A syllable in its own script and in Latin letters.
type Syllable = (&'static str, &'static str);

#[derive(Clone, Copy)]
enum Order {
    GivenFirst,
    /// With what stands between the two.
    FamilyFirst(&'static str),
    Single,
}

struct Culture {
    locale: &'static str,
    order: Order,
    given: [&'static [Syllable]; 2],
    family: [&'static [Syllable]; 2],
}

const WHOLE: &[Syllable] = &[("", "")];

impl Name {
    /// A name from one of the cultures; some with an apostrophe, a hyphen or a particle.
    pub fn random(random: &mut Random) -> Name {
        let culture = random.pick(CULTURES).unwrap_or(&CULTURES[0]);
        let (given, given_latin) = join(random, &culture.given);
        let (family, family_latin) = Name::family(random, culture);
        Name::assemble(
            culture.order,
            culture.locale,
            [given, given_latin],
            [family, family_latin],
        )
    }

    /// The same person under a new family name, as after a marriage.
    #[must_use]
    pub fn with_new_family(&self, random: &mut Random) -> Name {
        let Some(culture) = CULTURES
            .iter()
            .find(|culture| culture.locale == self.locale)
        else {
            return self.clone();
        };
        for _ in 0..8 {
            let family = join(random, &culture.family);
            if family.0 != self.family {
                let given = [self.given.clone(), self.given_latin.clone()];
                return Name::assemble(culture.order, culture.locale, given, [family.0, family.1]);
            }
        }
        self.clone()
    }

    fn family(random: &mut Random, culture: &Culture) -> (String, String) {
        let (family, latin) = join(random, &culture.family);
        match culture.locale {
            "en-IE" if random.chance(400) => (format!("O'{family}"), format!("o'{latin}")),
            "it-IT" if random.chance(150) => (format!("D’{family}"), format!("d{latin}")),
            "nl-NL" if random.chance(300) => {
                (format!("van der {family}"), format!("vander{latin}"))
            }
            "fr-FR" | "en-GB" | "es-ES" if random.chance(150) => {
                let (second, second_latin) = join(random, &culture.family);
                (
                    format!("{family}-{second}"),
                    format!("{latin}-{second_latin}"),
                )
            }
            _ => (family, latin),
        }
    }

    fn assemble(
        order: Order,
        locale: &'static str,
        given: [String; 2],
        family: [String; 2],
    ) -> Name {
        let [given, given_latin] = given;
        let [family, family_latin] = family;
        match order {
            Order::GivenFirst => Name {
                display: format!("{given} {family}"),
                given,
                family,
                given_latin,
                family_latin,
                locale,
            },
            Order::FamilyFirst(between) => Name {
                display: format!("{family}{between}{given}"),
                given,
                family,
                given_latin,
                family_latin,
                locale,
            },
            Order::Single => Name {
                display: family.clone(),
                given: String::new(),
                family,
                given_latin: String::new(),
                family_latin,
                locale,
            },
        }
    }
}

fn join(random: &mut Random, parts: &[&[Syllable]; 2]) -> (String, String) {
    let mut name = String::new();
    let mut latin = String::new();
    for syllables in parts {
        let (own, plain) = random.pick(syllables).copied().unwrap_or_default();
        name.push_str(own);
        latin.push_str(plain);
    }
    (name, latin)
}

#[rustfmt::skip]
static CULTURES: &[Culture] = &[
    Culture { locale: "en-GB", order: Order::GivenFirst,
        given: [&[("Al", "al"), ("Ro", "ro"), ("Em", "em"), ("Ha", "ha"), ("Li", "li"), ("Mar", "mar"), ("Jo", "jo")],
                &[("ice", "ice"), ("wan", "wan"), ("ma", "ma"), ("rry", "rry"), ("lian", "lian"), ("nah", "nah")]],
        family: [&[("Ash", "ash"), ("Brad", "brad"), ("Wood", "wood"), ("Thorn", "thorn"), ("Lang", "lang"), ("Mill", "mill")],
                 &[("ford", "ford"), ("ley", "ley"), ("ton", "ton"), ("well", "well"), ("by", "by"), ("worth", "worth")]] },
    Culture { locale: "en-IE", order: Order::GivenFirst,
        given: [&[("Sé", "se"), ("Ai", "ai"), ("Ni", "ni"), ("Ró", "ro"), ("Fi", "fi")],
                &[("amus", "amus"), ("sling", "sling"), ("all", "all"), ("isín", "isin"), ("onn", "onn")]],
        family: [&[("Bren", "bren"), ("Kea", "kea"), ("Mal", "mal"), ("Don", "don"), ("Tul", "tul")],
                 &[("nan", "nan"), ("ne", "ne"), ("ley", "ley"), ("ovan", "ovan"), ("ly", "ly")]] },
    Culture { locale: "de-DE", order: Order::GivenFirst,
        given: [&[("Jür", "juer"), ("Sö", "soe"), ("An", "an"), ("Käth", "kaeth"), ("Wol", "wol")],
                &[("gen", "gen"), ("ren", "ren"), ("ke", "ke"), ("e", "e"), ("fram", "fram")]],
        family: [&[("Mül", "muel"), ("Groß", "gross"), ("Schä", "schae"), ("Bött", "boett"), ("Kling", "kling")],
                 &[("ler", "ler"), ("mann", "mann"), ("fer", "fer"), ("cher", "cher"), ("bauer", "bauer")]] },
    Culture { locale: "nl-NL", order: Order::GivenFirst,
        given: [&[("Da", "da"), ("Ma", "ma"), ("Jo", "jo"), ("Sa", "sa")],
                &[("an", "an"), ("rijke", "rijke"), ("ris", "ris"), ("nne", "nne")]],
        family: [&[("Meer", "meer"), ("Veen", "veen"), ("Dijk", "dijk"), ("Berg", "berg")],
                 &[("", ""), ("stra", "stra"), ("mans", "mans"), ("huis", "huis")]] },
    Culture { locale: "fr-FR", order: Order::GivenFirst,
        given: [&[("Ré", "re"), ("Zo", "zo"), ("Hé", "he"), ("Loï", "loi"), ("Fran", "fran")],
                &[("mi", "mi"), ("é", "e"), ("lène", "lene"), ("ck", "ck"), ("çois", "cois")]],
        family: [&[("Gué", "gue"), ("Lef", "lef"), ("Mor", "mor"), ("Châ", "cha"), ("Per", "per")],
                 &[("rin", "rin"), ("èvre", "evre"), ("eau", "eau"), ("telain", "telain"), ("rault", "rault")]] },
    Culture { locale: "es-ES", order: Order::GivenFirst,
        given: [&[("Íñi", "ini"), ("Be", "be"), ("Mar", "mar"), ("Ál", "al"), ("Nú", "nu")],
                &[("go", "go"), ("goña", "gona"), ("tín", "tin"), ("varo", "varo"), ("ria", "ria")]],
        family: [&[("Mu", "mu"), ("Ibá", "iba"), ("Gar", "gar"), ("Ló", "lo"), ("Gó", "go")],
                 &[("ñoz", "noz"), ("ñez", "nez"), ("cía", "cia"), ("pez", "pez"), ("mez", "mez")]] },
    Culture { locale: "it-IT", order: Order::GivenFirst,
        given: [&[("Nico", "nico"), ("Chia", "chia"), ("Gio", "gio"), ("Fe", "fe")],
                &[("lò", "lo"), ("ra", "ra"), ("vanna", "vanna"), ("derico", "derico")]],
        family: [&[("Ange", "ange"), ("Ama", "ama"), ("Espo", "espo"), ("Ori", "ori")],
                 &[("lini", "lini"), ("to", "to"), ("sito", "sito"), ("ani", "ani")]] },
    Culture { locale: "pl-PL", order: Order::GivenFirst,
        given: [&[("Łu", "lu"), ("Mał", "mal"), ("Woj", "woj"), ("Święto", "swieto")],
                &[("kasz", "kasz"), ("gorzata", "gorzata"), ("ciech", "ciech"), ("sław", "slaw")]],
        family: [&[("Wiśniew", "wisniew"), ("Dąbrow", "dabrow"), ("Zają", "zaja"), ("Jabłoń", "jablon")],
                 &[("ski", "ski"), ("ska", "ska"), ("czek", "czek"), ("cki", "cki")]] },
    Culture { locale: "cs-CZ", order: Order::GivenFirst,
        given: [&[("Ji", "ji"), ("Ond", "ond"), ("Lu", "lu"), ("Bo", "bo")],
                &[("ří", "ri"), ("řej", "rej"), ("děk", "dek"), ("žena", "zena")]],
        family: [&[("Dvo", "dvo"), ("Novot", "novot"), ("Kuče", "kuce"), ("Žiž", "ziz")],
                 &[("řák", "rak"), ("ný", "ny"), ("ra", "ra"), ("ka", "ka")]] },
    Culture { locale: "tr-TR", order: Order::GivenFirst,
        given: [&[("Gö", "go"), ("İb", "ib"), ("Ay", "ay"), ("Çağ", "cag")],
                &[("khan", "khan"), ("rahim", "rahim"), ("şe", "se"), ("rı", "ri")]],
        family: [&[("Yıl", "yil"), ("Öz", "oz"), ("Şa", "sa"), ("Işı", "isi")],
                 &[("dız", "diz"), ("türk", "turk"), ("hin", "hin"), ("k", "k")]] },
    Culture { locale: "nb-NO", order: Order::GivenFirst,
        given: [&[("Bjø", "bjo"), ("Sig", "sig"), ("Å", "aa"), ("Ma", "ma")],
                &[("rn", "rn"), ("rid", "rid"), ("se", "se"), ("gnus", "gnus")]],
        family: [&[("Sol", "sol"), ("Øst", "ost"), ("Hå", "ha"), ("Bræ", "brae")],
                 &[("berg", "berg"), ("dal", "dal"), ("kestad", "kestad"), ("nne", "nne")]] },
    Culture { locale: "vi-VN", order: Order::FamilyFirst(" "),
        given: [&[("Thị ", "thi"), ("Văn ", "van"), ("Đức ", "duc"), ("Ngọc ", "ngoc")],
                &[("Hạnh", "hanh"), ("Tuấn", "tuan"), ("Mỹ", "my"), ("Phượng", "phuong")]],
        family: [&[("Nguyễn", "nguyen"), ("Trần", "tran"), ("Phạm", "pham"), ("Đặng", "dang")], WHOLE] },
    Culture { locale: "ru-RU", order: Order::GivenFirst,
        given: [&[("Све", "sve"), ("Ми", "mi"), ("Ана", "ana"), ("Юли", "yuli")],
                &[("тлана", "tlana"), ("хаил", "khail"), ("стасия", "stasiya"), ("я", "ya")]],
        family: [&[("Воро", "voro"), ("Щер", "shcher"), ("Куз", "kuz"), ("Соло", "solo")],
                 &[("бьёв", "byov"), ("баков", "bakov"), ("нецов", "netsov"), ("вьева", "vyeva")]] },
    Culture { locale: "uk-UA", order: Order::GivenFirst,
        given: [&[("Оле", "ole"), ("Яро", "yaro"), ("Ї", "yi")],
                &[("ксій", "ksii"), ("слава", "slava"), ("жак", "zhak")]],
        family: [&[("Шев", "shev"), ("Гри", "hry"), ("Коваль", "koval")],
                 &[("ченко", "chenko"), ("щук", "shchuk"), ("ців", "tsiv")]] },
    Culture { locale: "el-GR", order: Order::GivenFirst,
        given: [&[("Θεό", "theo"), ("Ευ", "ev"), ("Κων", "kon"), ("Αλέ", "ale")],
                &[("δωρος", "doros"), ("γενία", "genia"), ("σταντίνα", "stantina"), ("ξης", "xis")]],
        family: [&[("Παπα", "papa"), ("Γεωρ", "geor"), ("Σταυ", "stav"), ("Χατζη", "chatzi")],
                 &[("δάκης", "dakis"), ("γίου", "giou"), ("ρίδης", "ridis"), ("νικολάου", "nikolaou")]] },
    Culture { locale: "zh-CN", order: Order::FamilyFirst(""),
        given: [&[("晓", "xiao"), ("文", "wen"), ("海", "hai"), ("雨", "yu"), ("", "")],
                &[("明", "ming"), ("华", "hua"), ("燕", "yan"), ("峰", "feng"), ("𠀀", "he")]],
        family: [&[("王", "wang"), ("李", "li"), ("陈", "chen"), ("欧阳", "ouyang"), ("赵", "zhao")], WHOLE] },
    Culture { locale: "ja-JP", order: Order::FamilyFirst(" "),
        given: [&[("美", "mi"), ("健", "ken"), ("由", "yu"), ("さく", "saku")],
                &[("咲", "saki"), ("太郎", "taro"), ("香", "ka"), ("ら", "ra")]],
        family: [&[("山", "yama"), ("高", "taka"), ("小", "ko"), ("渡", "wata")],
                 &[("本", "moto"), ("橋", "hashi"), ("林", "bayashi"), ("邊", "nabe")]] },
    Culture { locale: "ko-KR", order: Order::FamilyFirst(""),
        given: [&[("지", "ji"), ("민", "min"), ("서", "seo"), ("하", "ha")],
                &[("은", "eun"), ("준", "jun"), ("연", "yeon"), ("늘", "neul")]],
        family: [&[("김", "kim"), ("박", "park"), ("최", "choi"), ("남궁", "namgung")], WHOLE] },
    Culture { locale: "ar-EG", order: Order::GivenFirst,
        given: [&[("مح", "mah"), ("فا", "fa"), ("يو", "yo"), ("كر", "ka")],
                &[("مود", "moud"), ("طمة", "tma"), ("سف", "sef"), ("يم", "rim")]],
        family: [&[("الش", "elsh"), ("النج", "elnag"), ("عبد ال", "abdel"), ("الح", "elh")],
                 &[("ريف", "erif"), ("ار", "gar"), ("رحمن", "rahman"), ("سيني", "oseiny")]] },
    Culture { locale: "he-IL", order: Order::GivenFirst,
        given: [&[("נו", "no"), ("יע", "ya"), ("אב", "av"), ("שי", "shi")],
                &[("עם", "am"), ("ל", "el"), ("יגיל", "igail"), ("רה", "ra")]],
        family: [&[("רוז", "roz"), ("בן־", "ben"), ("שפי", "shpi"), ("גול", "gol")],
                 &[("נפלד", "enfeld"), ("דוד", "david"), ("רא", "ra"), ("דמן", "dman")]] },
    Culture { locale: "hi-IN", order: Order::GivenFirst,
        given: [&[("प्रि", "pri"), ("सु", "su"), ("अनु", "anu"), ("वि", "vi")],
                &[("या", "ya"), ("रेश", "resh"), ("राधा", "radha"), ("क्रम", "kram")]],
        family: [&[("शर्", "shar"), ("गुप्", "gup"), ("चतु", "chatu"), ("मिश्", "mish")],
                 &[("मा", "ma"), ("ता", "ta"), ("र्वेदी", "rvedi"), ("रा", "ra")]] },
    Culture { locale: "th-TH", order: Order::GivenFirst,
        given: [&[("สม", "som"), ("กิต", "kit"), ("วร", "wora"), ("นิ", "ni")],
                &[("ชาย", "chai"), ("ติ", "ti"), ("ดา", "da"), ("พนธ์", "phon")]],
        family: [&[("ศรี", "si"), ("แก้ว", "kaew"), ("ทอง", "thong"), ("พงษ์", "phong")],
                 &[("สุข", "suk"), ("มณี", "mani"), ("ดี", "di"), ("พาณิช", "phanit")]] },
    Culture { locale: "id-ID", order: Order::Single,
        given: [WHOLE, WHOLE],
        family: [&[("Su", "su"), ("Wi", "wi"), ("Har", "har"), ("Dja", "dja")],
                 &[("parman", "parman"), ("dodo", "dodo"), ("tono", "tono"), ("rwati", "rwati")]] },
];

#[cfg(test)]
mod tests {
    use super::{CULTURES, Name};
    use crate::random::Random;

    #[test]
    fn every_latin_spelling_can_stand_in_a_mail_address() {
        let mut random = Random::new(11);
        for _ in 0..2000 {
            let name = Name::random(&mut random);
            let latin = format!("{}{}", name.given_latin, name.family_latin);
            assert!(!latin.is_empty());
            assert!(
                latin
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b == b'-' || b == b'\''),
                "{latin}"
            );
        }
    }

    #[test]
    fn names_come_in_many_shapes() {
        let mut random = Random::new(5);
        let names: Vec<Name> = (0..2000).map(|_| Name::random(&mut random)).collect();
        assert!(names.iter().any(|name| name.family.contains('\'')));
        assert!(names.iter().any(|name| name.family.contains('-')));
        assert!(
            names
                .iter()
                .any(|name| name.given.is_empty() && !name.family.is_empty())
        );
        assert!(
            CULTURES
                .iter()
                .all(|culture| names.iter().any(|name| name.locale == culture.locale))
        );
    }

    #[test]
    fn a_new_family_name_keeps_the_given_one() {
        let mut random = Random::new(9);
        let before = Name::random(&mut random);
        let after = before.with_new_family(&mut random);
        assert_eq!(before.given, after.given);
        assert_ne!(before.family, after.family);
    }
}
