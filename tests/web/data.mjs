/** What core made for these tests, in tests/data/view. */
import { readFileSync } from "node:fs";

const FOLDER = new URL("../data/view/", import.meta.url);

/** @param {string} name @returns {any} */
export function json(name) {
    return JSON.parse(readFileSync(new URL(name, FOLDER), "utf-8"));
}

/** @param {string} name @returns {ArrayBuffer} */
export function buffer(name) {
    return copy(readFileSync(new URL(name, FOLDER)));
}

/** The bytes of a file of the pack. @param {string} path @returns {ArrayBuffer} */
export function shipped(path) {
    return copy(readFileSync(new URL(`../../${path}`, import.meta.url)));
}

/** Half precision numbers as a file has them: for whole and half numbers up to 2048.
 * @param {number[]} numbers @returns {ArrayBuffer} */
export function halves(numbers) {
    return Uint16Array.from(numbers, (number) => {
        if (Number.isNaN(number)) return 0x7e00;
        const sign = number < 0 || Object.is(number, -0) ? 0x8000 : 0;
        const size = Math.abs(number);
        if (size === 0) return sign;
        const exponent = Math.floor(Math.log2(size));
        return sign | ((exponent + 15) << 10) | ((size / 2 ** exponent - 1) * 1024);
    }).buffer;
}

/** The largest difference between two lists of the same length.
 * @param {ArrayLike<number>} one @param {ArrayLike<number>} other */
export function difference(one, other) {
    if (one.length !== other.length) return Infinity;
    return Array.from(one, (value, i) => Math.abs(value - other[i])).reduce(larger, 0);
}

/** Not a number counts as the largest. @param {number} a @param {number} b */
function larger(a, b) {
    return b <= a ? a : Number.isNaN(b) ? Infinity : b;
}

/** @param {Buffer} bytes @returns {ArrayBuffer} */
function copy(bytes) {
    return new Uint8Array(bytes).buffer;
}
