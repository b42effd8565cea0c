/**
 * The text of the concepts input, entry by entry: the rules of core/concepts.py, but a text that is
 * not finished yet is read as far as it goes.
 */

const COMMAS = ",\uff0c\u3001\u060c"; // ASCII, fullwidth, ideographic, Arabic
const QUOTED = '"(?:[^"]|"")*"|“[^“”]*”';
const ENTRY = new RegExp(`(?:${QUOTED}|[^"“”${COMMAS}])*`, "y");
const WHOLLY_QUOTED = new RegExp(`^(?:${QUOTED})$`);
const NEEDS_QUOTES = new RegExp(`["“”${COMMAS}]`);

/** @typedef {{start: number, end: number, label: string}} Entry where it is in its line */

/** Entries of one line, empty ones too. @param {string} line @returns {Entry[]} */
function entries(line) {
    const found = [];
    let start = 0;
    while (start < line.length) {
        ENTRY.lastIndex = start;
        let end = start + (ENTRY.exec(line)?.[0].length ?? 0);
        if (/["“”]/.test(line[end] ?? "")) end = line.length; // a quote that is still open
        found.push({ start, end, label: unquote(line.slice(start, end).trim()) });
        start = end + 1;
    }
    return found;
}

/** @param {string} entry */
function unquote(entry) {
    if (!WHOLLY_QUOTED.test(entry)) return entry;
    const inner = entry.slice(1, -1).trim();
    return entry[0] === '"' ? inner.replaceAll('""', '"') : inner;
}

/** Equal for labels that a reader takes for the same words. @param {string} label */
function key(label) {
    const folded = label.normalize("NFC").toUpperCase().toLowerCase(); // as casefold: ß is ss
    return folded.split(/\s+/).filter(Boolean).join(" ");
}

/** @param {string} text @returns {string[]} */
const lines = (text) => text.split(/\r\n|\r|\n/);

/** The labels in a text. @param {string} text @returns {string[]} */
export function labels(text) {
    return lines(text).flatMap((line) => entries(line).map((each) => each.label).filter(Boolean));
}

/** Whether a label is in the text. @param {string} text @param {string} label */
export function has(text, label) {
    return labels(text).some((each) => key(each) === key(label));
}

/** A label as the text holds it. @param {string} label */
export function quoted(label) {
    return NEEDS_QUOTES.test(label) ? `"${label.replaceAll('"', '""')}"` : label;
}

/** The text with a label more, set off as the others are. @param {string} text @param {string} label */
export function add(text, label) {
    const before = text.trimEnd();
    if (!before) return quoted(label);
    const comma = new RegExp(`[${COMMAS}]$`).test(before);
    const onePerLine = before.includes("\n") && lines(before).every((line) => entries(line).length < 2);
    if (onePerLine) return `${before}\n${quoted(label)}`;
    return `${before}${comma ? " " : ", "}${quoted(label)}`;
}

/** The text without a label. @param {string} text @param {string} label */
export function remove(text, label) {
    const kept = [];
    for (const line of lines(text)) {
        const rest = withoutEntries(line, key(label));
        if (rest.trim() || rest === line) kept.push(rest);
    }
    return kept.join("\n");
}

/** @param {string} line @param {string} unwanted */
function withoutEntries(line, unwanted) {
    const all = entries(line);
    let rest = "";
    all.forEach((each, index) => {
        if (each.label && key(each.label) === unwanted) return;
        // What stands between entries goes with the one before which it stands.
        const from = index ? each.start - 1 : 0;
        rest += rest.trim() ? line.slice(from, each.end) : line.slice(each.start, each.end).trimStart();
    });
    const comma = all.length ? line.slice(all[all.length - 1].end) : "";
    return rest ? rest + comma : rest;
}

/** The text with a label if it was without it, and the other way round. @param {string} text
 * @param {string} label */
export function toggle(text, label) {
    return has(text, label) ? remove(text, label) : add(text, label);
}

/** A text of these labels alone. @param {string[]} all */
export function textOf(all) {
    return all.map(quoted).join(", ");
}
