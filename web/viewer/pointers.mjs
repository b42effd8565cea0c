/** Mouse, pen and fingers on the picture: hovering, clicking, dragging, and two fingers to zoom. */

const CLICK = 5; // pixels that a click may move

/** @typedef {{x: number, y: number}} Place in the stage's own pixels */

export class Pointers {
    /** @param {import("./stage.mjs").Stage} stage */
    constructor(stage) {
        this.stage = stage;
        /** @type {Map<number, Place>} those that are down */
        this.down = new Map();
        this.far = false;
        const { element } = stage;
        for (const [type, act] of /** @type {const} */ ([
            ["pointerdown", this.pressed],
            ["pointermove", this.moved],
            ["pointerup", this.lifted],
            ["pointercancel", this.left],
            ["pointerleave", this.left],
        ])) {
            element.addEventListener(type, (/** @type {PointerEvent} */ event) => act.call(this, event));
        }
        element.addEventListener("dblclick", () => stage.zoom(0));
    }

    /** @param {PointerEvent} event */
    pressed(event) {
        const { stage } = this;
        if (event.button !== 0 || event.composedPath().includes(stage.split)) return;
        this.far = this.down.size > 0;
        this.down.set(event.pointerId, stage.at(event));
        stage.element.setPointerCapture(event.pointerId);
        this.read(event); // a finger does not hover before it touches
    }

    /** @param {PointerEvent} event */
    moved(event) {
        const at = this.stage.at(event);
        const last = this.down.get(event.pointerId);
        if (last && (this.far || Math.hypot(at.x - last.x, at.y - last.y) > CLICK)) {
            this.far = true;
            this.dragged(event.pointerId, last, at);
            this.down.set(event.pointerId, at);
        }
        if (this.down.size < 2) this.read(event);
    }

    /** @param {number} id @param {Place} last @param {Place} at */
    dragged(id, last, at) {
        const { stage } = this;
        const others = [...this.down].filter(([each]) => each !== id);
        if (others.length === 0) {
            if (stage.view.zoom > 1) stage.drag(at.x - last.x, at.y - last.y);
            return;
        }
        const other = others[0][1];
        const apart = (/** @type {Place} */ one) => Math.hypot(one.x - other.x, one.y - other.y);
        const middle = { x: (at.x + other.x) / 2, y: (at.y + other.y) / 2 };
        stage.zoom(apart(at) / Math.max(1, apart(last)), middle);
        stage.drag((at.x - last.x) / 2, (at.y - last.y) / 2);
    }

    /** @param {PointerEvent} event */
    lifted(event) {
        const { stage } = this;
        const pressed = this.down.delete(event.pointerId);
        stage.element.classList.remove("dragging");
        const { point, share } = stage.hit(stage.at(event));
        if (pressed && !this.far && point) stage.acts.click(point, share >= stage.share);
    }

    /** @param {PointerEvent} event */
    left(event) {
        this.down.delete(event.pointerId);
        this.stage.acts.point(null, false);
    }

    /** @param {PointerEvent} event */
    read(event) {
        const { point, share } = this.stage.hit(this.stage.at(event));
        this.stage.acts.point(point, share >= this.stage.share);
    }
}
