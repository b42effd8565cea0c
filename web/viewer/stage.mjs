/** The picture: its canvas, what lies over it, and what pointers, wheels and touches do there. */
import { make } from "./dom.mjs";
import { WHOLE, moved, place, pointAt, seen, zoomed } from "./geometry.mjs";

const CLICK = 5; // pixels that a click may move
const LARGEST = 512; // pixels on the longer side that are painted; larger is drawn larger
const WHEEL = 1.0015; // zoom for each pixel of the wheel

/**
 * @typedef {object} Acts
 * @property {() => void} paint the size or the view changed
 * @property {(point: {u: number, v: number} | null, right: boolean) => void} point right: of the
 *   split
 * @property {(point: {u: number, v: number}, right: boolean) => void} click
 * @property {(share: number) => void} split
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
        this.share = 0.5;
        this.listen();
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
            LARGEST / Math.max(part.width, part.height),
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
        this.view = factor
            ? zoomed(this.view, factor, x, y, this.size, this.picture)
            : { ...WHOLE };
        this.element.classList.toggle("pan", this.view.zoom > 1);
        this.acts.paint();
    }

    /** A pointer's place in the stage's own pixels. @param {MouseEvent} event */
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

    listen() {
        const { element, split } = this;
        /** @type {{x: number, y: number} | null} */
        let down = null;
        let far = false;
        element.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => {
            if (event.button !== 0 || event.composedPath().includes(split)) return;
            down = this.at(event);
            far = false;
            element.setPointerCapture(event.pointerId);
        });
        element.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => {
            const at = this.at(event);
            if (down && (far || Math.hypot(at.x - down.x, at.y - down.y) > CLICK)) {
                far = true;
                if (this.view.zoom > 1) this.drag(at.x - down.x, at.y - down.y);
                down = at;
            }
            const { point, share } = this.hit(at);
            this.acts.point(point, share >= this.share);
        });
        element.addEventListener("pointerup", (/** @type {PointerEvent} */ event) => {
            const { point, share } = this.hit(this.at(event));
            element.classList.remove("dragging");
            if (down && !far && point) this.acts.click(point, share >= this.share);
            down = null;
        });
        element.addEventListener("pointercancel", () => (down = null));
        element.addEventListener("pointerleave", () => this.acts.point(null, false));
        element.addEventListener("dblclick", () => this.zoom(0));
        this.listenToSplit();
    }

    /** @param {number} dx @param {number} dy */
    drag(dx, dy) {
        this.element.classList.add("dragging");
        this.view = moved(this.view, dx, dy, this.size, this.picture);
        this.acts.paint();
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
