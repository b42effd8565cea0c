/** Pictures and maps to take away. */
import { build } from "./safetensors.mjs";

/**
 * The picture with its maps at the picture's own size.
 * @param {import("./side.mjs").Side} side @param {import("./side.mjs").Look} look
 * @returns {Promise<Blob>} PNG
 */
export async function png(side, look) {
    const { width, height } = side.run.size;
    const part = { u0: 0, v0: 0, u1: 1, v1: 1 };
    side.fit({ part, width, height }, look.state.nearest);
    const image = new ImageData(width, height);
    side.paint(image.data, look, {});
    const canvas = new OffscreenCanvas(width, height);
    canvas.getContext("2d")?.putImageData(image, 0, 0);
    return canvas.convertToBlob({ type: "image/png" });
}

/**
 * The maps on the token grid, with what they were decoded with.
 * @param {import("./side.mjs").Side} side @param {import("./state.mjs").State} state
 * @returns {Blob} safetensors: heatmaps [C, rows, columns] of the concepts in metadata's labels
 */
export function maps(side, state) {
    const { bundle, labels, grid } = side.run;
    const shape = [labels.length, grid.rows, grid.columns];
    const data = /** @type {Float32Array} */ (side.maps);
    const chosen = side.run.decodes ? side.run.choice(state) : {};
    return build(
        { heatmaps: { dtype: "F32", shape, data } },
        {
            format: "concept-attention-heatmaps",
            labels: JSON.stringify(labels),
            background: JSON.stringify(bundle.background),
            covered: JSON.stringify(grid.covered),
            choice: JSON.stringify(chosen),
            item: String(state.item),
        },
    );
}

/** Hand a file to the browser. @param {Blob} blob @param {string} name */
export function download(blob, name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    forget(link.href);
}

/** @param {Blob} blob */
export function openInTab(blob) {
    const place = URL.createObjectURL(blob);
    globalThis.open(place, "_blank");
    forget(place);
}

/** The browser has read it by then. @param {string} place */
function forget(place) {
    setTimeout(() => URL.revokeObjectURL(place), 60_000);
}
