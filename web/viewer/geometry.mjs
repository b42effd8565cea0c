/** Where the picture lies on the stage, and what point of it lies under the pointer. */

/**
 * @typedef {object} Size
 * @property {number} width @property {number} height
 *
 * @typedef {object} View
 * @property {number} zoom 1: the whole picture
 * @property {number} u @property {number} v the point in the middle, as shares of the picture
 *
 * @typedef {object} Rect the picture on the stage, in pixels of the stage
 * @property {number} x @property {number} y @property {number} width @property {number} height
 */

export const WHOLE = Object.freeze({ zoom: 1, u: 0.5, v: 0.5 });
const MOST = 16;

/** @param {any} value @returns {boolean} */
export function isView(value) {
    const share = (/** @type {any} */ each) => each >= 0 && each <= 1;
    return value?.zoom >= 1 && value.zoom <= MOST && share(value.u) && share(value.v);
}

/** @param {View} view @param {Size} stage @param {Size} picture @returns {Rect} */
export function place(view, stage, picture) {
    const scale = Math.min(stage.width / picture.width, stage.height / picture.height) * view.zoom;
    const [width, height] = [picture.width * scale, picture.height * scale];
    const x = stage.width / 2 - view.u * width;
    const y = stage.height / 2 - view.v * height;
    return { x, y, width, height };
}

/**
 * The part of the stage on which the picture is seen, and the part of the picture seen there.
 * @param {Rect} rect @param {Size} stage
 */
export function seen(rect, stage) {
    const left = Math.max(0, rect.x);
    const top = Math.max(0, rect.y);
    const right = Math.min(stage.width, rect.x + rect.width);
    const bottom = Math.min(stage.height, rect.y + rect.height);
    return {
        x: left,
        y: top,
        width: Math.max(0, right - left),
        height: Math.max(0, bottom - top),
        u0: (left - rect.x) / rect.width,
        v0: (top - rect.y) / rect.height,
        u1: (right - rect.x) / rect.width,
        v1: (bottom - rect.y) / rect.height,
    };
}

/**
 * The point of the picture under a point of the stage, or null beside it.
 * @param {Rect} rect @param {number} x @param {number} y
 */
export function pointAt(rect, x, y) {
    const u = (x - rect.x) / rect.width;
    const v = (y - rect.y) / rect.height;
    return u >= 0 && u < 1 && v >= 0 && v < 1 ? { u, v } : null;
}

/**
 * Zoom so that the point of the picture at (x, y) of the stage stays there.
 * @param {View} view @param {number} factor @param {number} x @param {number} y
 * @param {Size} stage @param {Size} picture @returns {View}
 */
export function zoomed(view, factor, x, y, stage, picture) {
    const zoom = Math.min(MOST, Math.max(1, view.zoom * factor));
    const before = place(view, stage, picture);
    const [u, v] = [(x - before.x) / before.width, (y - before.y) / before.height];
    const after = place({ ...view, zoom }, stage, picture);
    const moved = {
        zoom,
        u: u - (x - stage.width / 2) / after.width,
        v: v - (y - stage.height / 2) / after.height,
    };
    return within(moved, stage, picture);
}

/**
 * Drag by pixels of the stage.
 * @param {View} view @param {number} dx @param {number} dy
 * @param {Size} stage @param {Size} picture @returns {View}
 */
export function moved(view, dx, dy, stage, picture) {
    const rect = place(view, stage, picture);
    const to = { ...view, u: view.u - dx / rect.width, v: view.v - dy / rect.height };
    return within(to, stage, picture);
}

/** No more of the stage is empty than has to be. @param {View} view @param {Size} stage
 * @param {Size} picture @returns {View} */
function within(view, stage, picture) {
    const rect = place(view, stage, picture);
    return {
        zoom: view.zoom,
        u: clamped(view.u, stage.width / rect.width / 2),
        v: clamped(view.v, stage.height / rect.height / 2),
    };
}

/** @param {number} middle @param {number} half half of the stage, in pictures */
function clamped(middle, half) {
    return half >= 0.5 ? 0.5 : Math.min(1 - half, Math.max(half, middle));
}

/**
 * Where a picture lies that is shown in the middle of another one's place, whole and undistorted.
 * @param {Size} inner @param {Size} outer
 * @returns {{x: number, y: number, width: number, height: number} | null} shares of the outer one's
 *   width and height; null: it fills the place
 */
export function contained(inner, outer) {
    const across = (inner.width * outer.height) / (inner.height * outer.width);
    if (Math.abs(across - 1) < 0.01) return null; // as near as whole pixels come
    const [width, height] = across > 1 ? [1, 1 / across] : [across, 1];
    return { x: (1 - width) / 2, y: (1 - height) / 2, width, height };
}
