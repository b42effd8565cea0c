import { expect, test } from "vitest";
import { build } from "../../web/viewer/safetensors.mjs";
import { halves } from "./data.mjs";

/** @param {Blob} blob */
async function read(blob) {
    const bytes = await blob.arrayBuffer();
    const length = Number(new DataView(bytes).getBigUint64(0, true));
    const text = new TextDecoder().decode(bytes.slice(8, 8 + length));
    return { length, header: JSON.parse(text), data: bytes.slice(8 + length) };
}

test("the header names every tensor's bytes, which follow one another", async () => {
    const blob = build(
        {
            maps: { dtype: "F32", shape: [1, 3], data: Float32Array.of(0.25, -1, 3) },
            scores: { dtype: "F16", shape: [2], data: halves([0.5, -2]) },
        },
        { labels: '["岩石"]' },
    );
    const { length, header, data } = await read(blob);
    expect(length % 8).toBe(0);
    expect(header).toEqual({
        __metadata__: { labels: '["岩石"]' },
        maps: { dtype: "F32", shape: [1, 3], data_offsets: [0, 12] },
        scores: { dtype: "F16", shape: [2], data_offsets: [12, 16] },
    });
    expect([...new Float32Array(data, 0, 3)]).toEqual([0.25, -1, 3]);
    expect([...new Uint16Array(data, 12, 2)]).toEqual([0x3800, 0xc000]);
    expect(data.byteLength).toBe(16);
});

test("a part of a larger array is that part", async () => {
    const part = Float32Array.of(1, 2, 3, 4).subarray(1, 3);
    const { data } = await read(build({ a: { dtype: "F32", shape: [2], data: part } }, {}));
    expect([...new Float32Array(data)]).toEqual([2, 3]);
});
