/** What the menu does. */
import * as files from "./files.mjs";

/**
 * @param {import("./viewer.mjs").Viewer} viewer
 * @param {"copy" | "save" | "open" | "download"} what
 */
export async function send(viewer, what) {
    const { scene, words, host } = viewer;
    if (!scene) return;
    const { side, look } = scene;
    const name = `${look.shown.join(" ").replace(/[^\p{L}\p{N} _-]/gu, "")} heatmap`;
    if (what === "download") {
        files.download(files.maps(side, look.state), `${name}.safetensors`);
        return;
    }
    const copy = viewer.made(side.run.bundle); // of its own size, beside what is on the stage
    copy.set(/** @type {any} */ (side.image), /** @type {any} */ (side.maps));
    const made = files.png(copy, look);
    if (what === "save") files.download(await made, `${name}.png`);
    else if (what === "open") files.openInTab(await made);
    else {
        try {
            await navigator.clipboard.write([new ClipboardItem({ "image/png": made })]);
            host.toast("success", words("copied"));
        } catch (error) {
            host.toast("error", words("copyFailed", { reason: String(error) }));
        }
    }
}
