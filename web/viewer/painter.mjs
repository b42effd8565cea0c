/** Paints the sides on the stage, and says in the legend and in words what is there. */
import { percent } from "./legend.mjs";
import { paintPlain } from "./paint.mjs";

/**
 * @typedef {object} Scene what is to be seen
 * @property {import("./side.mjs").Side} side
 * @property {import("./side.mjs").Side | null} compared the run on the right of the split
 * @property {import("./side.mjs").Look} look
 *
 * @typedef {object} Probe
 * @property {{u: number, v: number}} point
 * @property {boolean} right of the split
 */

export class Painter {
    /** @param {import("./face.mjs").Face} face @param {import("../strings.mjs").Words} words */
    constructor(face, words) {
        this.face = face;
        this.words = words;
        /** @type {ImageData | null} */
        this.image = null;
        this.outlined = "";
        /** The columns of the left and the right of the split. @type {{from?: number, to?: number}[]} */
        this.parts = [{}, {}];
    }

    /** @param {Scene} scene @returns {boolean} whether there was room */
    paint({ side, compared, look }) {
        const { stage } = this.face;
        const { width: across, height: down } = stage.size;
        if (!across || !down) return false;
        const segments = look.state.mode === "segments";
        stage.maps = segments ? side.run.labels.length : look.shown.length;
        const window = stage.window();
        const { width, height } = window;
        if (this.image?.width !== width || this.image.height !== height) {
            this.image = new ImageData(width, height);
        }
        const { state } = look;
        const split = state.compare === "picture" || compared ? state.split : null;
        const at = Math.round((split ?? 0) * width);
        this.parts = [compared ? { to: at } : { from: at }, { from: at }];
        const target = this.image.data;
        const base = side.fit(window, state.nearest);
        compared?.fit(window, state.nearest);
        if (state.plain) paintPlain(target, base, {});
        else if (compared) {
            side.paint(target, look, { to: at });
            compared.paint(target, look, { from: at });
        } else {
            paintPlain(target, base, { to: at });
            side.paint(target, look, { from: at });
        }
        stage.put(this.image, window);
        stage.setSplit(split, compared ? ["A", "B"] : []);
        return true;
    }

    /**
     * The numbers of the place under the pointer, or of the whole picture.
     * @param {Scene} scene @param {Probe | null} probe
     */
    read({ side: left, compared, look }, probe) {
        const side = probe?.right && compared ? compared : left;
        const { labels, bundle } = side.run;
        const here = probe && side.values(probe.point.u, probe.point.v);
        const values = here ?? side.accounts.map((each) => each.share);
        const winner = probe && side.winner(probe.point.u, probe.point.v);
        const { legend, status, stage, element } = this.face;
        // The rows are the left run's concepts; the other run may lack some, or order them otherwise.
        const rows = left.run.labels.map((label) => labels.indexOf(label));
        legend.update(
            rows.map((index) => values[index] ?? null),
            {
                shown: look.shown,
                pinned: look.state.pinned,
                winner: winner === null ? null : rows.indexOf(winner),
            },
        );
        const lined = winner ?? (look.hovered === null ? -1 : labels.indexOf(look.hovered));
        const seen = lined >= 0 && !bundle.background[lined] ? lined : null;
        this.outline(side, seen, this.parts[side === left ? 0 : 1]);
        const summary = this.summary(side, look);
        const best = winner !== null && { concept: labels[winner], share: percent(values[winner]) };
        const said = best ? this.words("at", best) : summary;
        if (status.textContent !== said) status.textContent = status.title = said;
        stage.element.setAttribute("aria-label", summary);
        element.dataset.ready = bundle.id;
    }

    /** A line around what the winner wins. @param {import("./side.mjs").Side} side
     * @param {number | null} winner @param {{from?: number, to?: number}} part */
    outline(side, winner, part) {
        const { stage } = this.face;
        if (!side.sampler) return; // read before it was painted for the first time
        const key = winner === null ? "" : [winner, side.run.bundle.id, stage.painted].join();
        if (key === this.outlined) return;
        this.outlined = key;
        stage.putLines(winner === null ? null : side.lines(winner, part), stage.window());
    }

    /** What is shown, in words. @param {import("./side.mjs").Side} side
     * @param {import("./side.mjs").Look} look */
    summary(side, { state, shown }) {
        if (state.mode === "segments") return this.segments(side);
        return shown
            .filter((label) => side.run.labels.includes(label))
            .map((label) => {
                const { share, place } = side.accounts[side.run.labels.indexOf(label)];
                const values = { concept: label, share: percent(share), place: this.words(place) };
                return this.words("account", values);
            })
            .join("; ");
    }

    /** The concepts that are strongest somewhere. @param {import("./side.mjs").Side} side */
    segments(side) {
        const { labels, bundle } = side.run;
        const winners = side.winners();
        const counts = new Array(labels.length).fill(0);
        for (const index of winners) if (index < labels.length) counts[index]++;
        const total = counts.reduce((sum, count) => sum + count, 0);
        return labels
            .map((label, i) => ({ label, count: bundle.background[i] ? 0 : counts[i] }))
            .filter(({ count }) => count > 0)
            .sort((a, b) => b.count - a.count)
            .map(({ label, count }) => {
                const share = percent(count / total);
                return this.words("segmentAccount", { concept: label, share });
            })
            .join("; ");
    }
}
