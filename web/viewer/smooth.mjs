/** A gaussian on the token grid, the same as core/smooth.py. */

const REACH = 3; // standard deviations

/**
 * Maps blurred by a gaussian of `sigma` tokens; the weights inside the map sum to 1 everywhere.
 * @param {Float32Array} maps [C, rows, columns]
 * @param {number} rows @param {number} columns
 * @param {number} sigma 0: as they are
 * @returns {Float32Array}
 */
export function smooth(maps, rows, columns, sigma) {
    if (!(sigma > 0)) return maps;
    const across = along(maps, weights(columns, sigma), columns, 1);
    return along(across, weights(rows, sigma), rows, columns);
}

/**
 * One axis: places that lie `stride` apart, `count` of them in a line.
 * @param {Float32Array} values @param {Float64Array} weights [from, to]
 * @param {number} count @param {number} stride
 */
function along(values, weights, count, stride) {
    const out = new Float32Array(values.length);
    const block = count * stride;
    for (let start = 0; start < values.length; start += block) {
        for (let offset = 0; offset < stride; offset++) {
            for (let to = 0; to < count; to++) {
                let sum = 0;
                for (let from = 0; from < count; from++) {
                    const weight = weights[from * count + to];
                    if (weight) sum += weight * values[start + offset + from * stride];
                }
                out[start + offset + to * stride] = sum;
            }
        }
    }
    return out;
}

/** @param {number} count @param {number} sigma @returns {Float64Array} [from, to] */
function weights(count, sigma) {
    const made = new Float64Array(count * count);
    const radius = Math.ceil(REACH * sigma);
    for (let to = 0; to < count; to++) {
        let total = 0;
        for (let from = 0; from < count; from++) {
            const distance = Math.abs(from - to);
            const weight = distance > radius ? 0 : Math.exp(-0.5 * (distance / sigma) ** 2);
            made[from * count + to] = weight;
            total += weight;
        }
        for (let from = 0; from < count; from++) made[from * count + to] /= total;
    }
    return made;
}
