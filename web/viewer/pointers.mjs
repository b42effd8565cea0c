/** Mouse, pen and fingers on the picture: hovering, clicking, dragging, and two fingers to zoom. */

const CLICK = 5; // pixels that a click may move
const CLOSER = 3; // zoom of a double click

/** @typedef {{x: number, y: number}} Place in the stage's own pixels */

export class Pointers {
    /** @param {import("./stage.mjs").Stage} stage */
    constructor(stage) {
        this.stage = stage;
        /** @type {Map<number, Place>} those that are down */
        this.down = new Map();
        this.far = false;
        /** @type {{middle: Place, apart: number} | null} */
        this.fingers = null;
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
        element.addEventListener("dblclick", (/** @type {MouseEvent} */ event) => {
            stage.zoom(stage.view.zoom > 1 ? 0 : CLOSER, stage.at(event));
        });
        element.addEventListener("touchmove", (/** @type {TouchEvent} */ event) => this.pinched(event), {
            passive: true,
        });
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
            const alone = this.down.size === 1 && this.stage.view.zoom > 1;
            if (alone) this.stage.drag(at.x - last.x, at.y - last.y);
            this.down.set(event.pointerId, at);
        }
        if (this.down.size < 2) this.read(event);
    }

    /**
     * Two fingers zoom the picture where the editor does not take them, to zoom the graph.
     * @param {TouchEvent} event
     */
    pinched(event) {
        const { stage } = this;
        if (event.defaultPrevented || event.targetTouches.length !== 2) {
            this.fingers = null;
            return;
        }
        const [one, other] = [...event.targetTouches].map((touch) => stage.at(touch));
        const middle = { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 };
        const apart = Math.max(1, Math.hypot(one.x - other.x, one.y - other.y));
        const last = this.fingers;
        this.fingers = { middle, apart };
        if (!last) return;
        stage.zoom(apart / last.apart, middle);
        stage.drag(middle.x - last.middle.x, middle.y - last.middle.y);
    }

    /** @param {PointerEvent} event */
    lifted(event) {
        const { stage } = this;
        const pressed = this.down.delete(event.pointerId);
        this.fingers = null;
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
