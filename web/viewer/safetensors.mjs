/** Files in the safetensors format: a header that names the tensors, then their bytes. */

/**
 * @typedef {object} Tensor
 * @property {"F32" | "F16"} dtype
 * @property {number[]} shape
 * @property {ArrayBuffer | Float32Array} data
 */

/**
 * @param {Record<string, Tensor>} tensors
 * @param {Record<string, string>} metadata
 * @returns {Blob}
 */
export function build(tensors, metadata) {
    /** @type {Record<string, object>} */
    const header = { __metadata__: metadata };
    const parts = [];
    let offset = 0;
    for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
        const bytes = new Uint8Array(bytesOf(data));
        header[name] = { dtype, shape, data_offsets: [offset, offset + bytes.length] };
        offset += bytes.length;
        parts.push(bytes);
    }
    const text = JSON.stringify(header);
    const written = new TextEncoder().encode(text);
    // The tensors begin at a multiple of 8, as the format wants it.
    const padded = new Uint8Array(Math.ceil(written.length / 8) * 8).fill(32);
    padded.set(written);
    const length = new DataView(new ArrayBuffer(8));
    length.setBigUint64(0, BigInt(padded.length), true);
    return new Blob([length.buffer, padded, ...parts], { type: "application/octet-stream" });
}

/** @param {ArrayBuffer | Float32Array} data */
function bytesOf(data) {
    if (data instanceof ArrayBuffer) return data;
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
