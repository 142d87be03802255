/** A text with a word of every script that Unicode has letters of, and of what joins, turns round or lies outside the first plane. */

/** Letters of one script: four are a word. */
const WORD_LETTERS = 4

/** Scripts as this runtime knows them, by the names of ISO 15924. */
const SCRIPTS =
  "Latn Grek Cyrl Armn Hebr Arab Syrc Thaa Nkoo Samr Mand Deva Beng Guru Gujr Orya Taml Telu Knda Mlym Sinh Thai Laoo Tibt Mymr Geor Hang Ethi Cher Cans Ogam Runr Tglg Hano Buhd Tagb Khmr Mong Limb Tale Talu Khmr Bugi Lana Bali Sund Batk Lepc Olck Glag Copt Tfng Hira Kana Bopo Hani Yiii Lisu Vaii Bamu Sylo Phag Saur Kali Rjng Java Cham Tavt Mtei Linb Lyci Cari Ital Goth Perm Ugar Xpeo Dsrt Shaw Osma Osge Elba Aghb Lina Cprt Armi Palm Nbat Hatr Phnx Lydi Mero Merc Khar Sarb Narb Mani Avst Prti Phli Phlp Orkh Hung Rohg Sogo Sogd Elym Brah Kthi Sora Cakm Mahj Shrd Sind Khoj Mult Gran Newa Tirh Sidd Modi Takr Ahom Dogr Wara Nand Zanb Soyo Pauc Bhks Marc Gonm Gong Maka Xsux Egyp Hluw Mroo Tnsa Bass Hmng Medf Plrd Tang Nshu Dupl Hmnp Wcho Adlm Mend Yezi Kits Diak Chrs Vith Toto Ougr Cpmn Kawi Nagm"

const ODDITIES = "e\u0301 नि กำ 👩\u200D👩\u200D👧\u200D👦 🏳\uFE0F\u200D🌈 𝒳 𐍈 ש\u05C1לום مرحبا \u202Babc\u202C «end»"

/** The text, made once. Scripts that this runtime does not know are left out. */
export function textOfEveryScript(): string {
  const names = [...new Set(SCRIPTS.split(" "))]
  return [...names.flatMap(name => wordOf(name) ?? []), ODDITIES].join(" ")
}

function wordOf(script: string): string | undefined {
  const pattern = patternOf(script)
  if (pattern === undefined) return undefined
  const letters: string[] = []
  for (let point = 0x41; point < 0x1_fa_ff && letters.length < WORD_LETTERS; point += 1) {
    const letter = String.fromCodePoint(point)
    if (pattern.test(letter)) letters.push(letter)
  }
  return letters.length === 0 ? undefined : letters.join("")
}

function patternOf(script: string): RegExp | undefined {
  try {
    return new RegExp(`(?=\\p{Script=${script}})\\p{Letter}`, "u")
  } catch {
    // This runtime's Unicode is older than the script.
    return undefined
  }
}
