/** The picture: its canvas, what lies over it, and what pointers, wheels and touches do there. */
import { make } from "./dom.mjs";
import { WHOLE, moved, place, pointAt, seen, zoomed } from "./geometry.mjs";
import { Pointers } from "./pointers.mjs";

const LARGEST = 512; // pixels on the longer side that are painted; larger is drawn larger
const QUICK = 4; // maps that can be painted at that size while a slider is dragged; more are coarser
const WHEEL = 1.0015; // zoom for each pixel of the wheel

/**
 * @typedef {object} Acts
 * @property {() => void} paint the size or the view changed
 * @property {(point: {u: number, v: number} | null, right: boolean) => void} point right: of the
 *   split
 * @property {(point: {u: number, v: number}, right: boolean) => void} click
 * @property {(share: number) => void} split
 * @property {(view: import("./geometry.mjs").View) => void} view another part is seen
 */

export class Stage {
    /** @param {import("../strings.mjs").Words} words @param {Acts} acts */
    constructor(words, acts) {
        this.acts = acts;
        /** @type {import("./geometry.mjs").View} */
        this.view = { ...WHOLE };
        this.picture = { width: 1, height: 1 };
        this.canvas = make("canvas", { ca: "canvas" });
        this.lines = make("canvas", { class: "outline", ca: "outline" });
        this.split = make("button", { type: "button", class: "split", ca: "split", role: "slider" });
        this.split.setAttribute("aria-label", words("slider"));
        this.split.setAttribute("aria-valuemin", "0");
        this.split.setAttribute("aria-valuemax", "100");
        this.tags = ["left", "right"].map((side) => make("span", { class: `tag ${side}` }));
        this.note = make("div", { class: "note", role: "status" });
        const parts = [this.canvas, this.lines, this.split, ...this.tags, this.note];
        this.element = make("div", { class: "stage", ca: "stage", role: "img" }, ...parts);
        this.painted = 0;
        this.maps = 1;
        this.share = 0.5;
        this.pointers = new Pointers(this);
        this.listenToSplit();
        new ResizeObserver(() => acts.paint()).observe(this.element);
    }

    /** The stage in its own pixels; what zooms the editor does not change them. */
    get size() {
        return { width: this.element.clientWidth, height: this.element.clientHeight };
    }

    /** Where the picture is, and the part of it that is seen, in the pixels to paint. */
    window() {
        const rect = place(this.view, this.size, this.picture);
        const part = seen(rect, this.size);
        const scale = Math.min(
            globalThis.devicePixelRatio || 1,
            (LARGEST * Math.sqrt(Math.min(1, QUICK / this.maps))) / Math.max(part.width, part.height),
        );
        const width = Math.max(1, Math.round(part.width * scale));
        const height = Math.max(1, Math.round(part.height * scale));
        return { rect, part, width, height };
    }

    /** Lay a canvas where the picture is seen. @param {any} canvas @param {any} window */
    lay(canvas, { part, width, height }) {
        if (canvas.width !== width) canvas.width = width;
        if (canvas.height !== height) canvas.height = height;
        canvas.style.left = `${part.x}px`;
        canvas.style.top = `${part.y}px`;
        canvas.style.width = `${part.width}px`;
        canvas.style.height = `${part.height}px`;
    }

    /** @param {ImageData} image @param {any} window */
    put(image, window) {
        this.lay(this.canvas, window);
        this.canvas.getContext("2d").putImageData(image, 0, 0);
        this.element.dataset.painted = String(++this.painted);
    }

    /** A line around something, or none. @param {ImageData | null} image @param {any} [window] */
    putLines(image, window) {
        this.lines.hidden = !image;
        if (!image) return;
        this.lay(this.lines, window);
        this.lines.getContext("2d").putImageData(image, 0, 0);
    }

    /** @param {string} text "" for none @param {string} kind for tests */
    say(text, kind = "note") {
        this.note.hidden = !text;
        this.note.textContent = text;
        this.note.dataset.ca = kind;
        this.note.classList.toggle("over", this.painted > 0);
    }

    /** The line of a comparison. @param {number | null} share @param {string[]} tags */
    setSplit(share, tags) {
        this.split.hidden = share === null;
        this.tags.forEach((tag, i) => {
            tag.textContent = tags[i] ?? "";
            tag.hidden = !tags[i];
        });
        if (share === null) return;
        this.share = share;
        const { part } = this.window();
        this.split.style.left = `${part.x + share * part.width}px`;
        this.split.setAttribute("aria-valuenow", String(Math.round(share * 100)));
    }

    /** @param {number} factor 0: the whole picture @param {{x: number, y: number}} [at] */
    zoom(factor, at) {
        const { width, height } = this.size;
        const { x, y } = at ?? { x: width / 2, y: height / 2 };
        this.see(factor ? zoomed(this.view, factor, x, y, this.size, this.picture) : WHOLE);
        this.acts.view(this.view);
    }

    /** Show a part of the picture. @param {import("./geometry.mjs").View} view */
    see(view) {
        this.view = { ...view };
        this.element.classList.toggle("pan", view.zoom > 1);
    }

    /** A pointer's place in the stage's own pixels. @param {{clientX: number, clientY: number}} event */
    at(event) {
        const box = this.element.getBoundingClientRect();
        const scale = this.element.clientWidth / box.width || 1; // the editor's zoom
        return { x: (event.clientX - box.left) * scale, y: (event.clientY - box.top) * scale };
    }

    /** @param {{x: number, y: number}} at */
    hit(at) {
        const { rect, part } = this.window();
        return { point: pointAt(rect, at.x, at.y), share: (at.x - part.x) / part.width };
    }

    /** @param {number} dx @param {number} dy */
    drag(dx, dy) {
        this.element.classList.add("dragging");
        this.see(moved(this.view, dx, dy, this.size, this.picture));
        this.acts.view(this.view);
    }

    listenToSplit() {
        const { split } = this;
        const to = (/** @type {number} */ share) =>
            this.acts.split(Math.min(1, Math.max(0, share)));
        split.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) =>
            split.setPointerCapture(event.pointerId),
        );
        split.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => {
            if (split.hasPointerCapture(event.pointerId)) to(this.hit(this.at(event)).share);
        });
        split.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
            const by = { ArrowLeft: -0.02, ArrowRight: 0.02 }[event.key];
            if (!by) return;
            event.preventDefault();
            event.stopPropagation();
            to(this.share + by);
        });
    }

    /** @param {WheelEvent} event */
    wheel(event) {
        this.zoom(WHEEL ** -event.deltaY, this.at(event));
    }
}
