/** Loads what a viewer's state asks for; while that goes on, only the last wish counts. */
import { Missing } from "./client.mjs";
import { tables } from "./colours.mjs";

const AHEAD = 2; // frames that are loaded before they are shown

export class Loader {
    /** @param {import("./viewer.mjs").Viewer} viewer */
    constructor(viewer) {
        this.viewer = viewer;
        this.wanted = this.busy = false;
    }

    async load() {
        this.wanted = true;
        if (this.busy) return;
        this.busy = true;
        while (this.wanted) {
            this.wanted = false;
            await this.loadOnce();
        }
        this.busy = false;
    }

    async loadOnce() {
        const { viewer } = this;
        const { side, compared, state, face } = viewer;
        if (!side) return;
        try {
            const known = await tables();
            viewer.table = known[state.colormap] ?? known.inferno;
            const other = compared && this.fill(compared).catch((error) => this.drop(error));
            await Promise.all([this.fill(side), other]);
        } catch (error) {
            if (side === viewer.side) viewer.fail(error);
            return;
        }
        if (side !== viewer.side) return;
        face.stage.say("");
        viewer.schedule();
        for (let i = 1; i <= AHEAD && face.frames.playing; i++) {
            side.run.prefetch((state.item + i) % side.run.count);
        }
    }

    /** @param {import("./side.mjs").Side} side */
    async fill(side) {
        const { state, side: first } = this.viewer;
        const item = Math.min(state.item, side.run.count - 1);
        const [image, maps] = await Promise.all([
            side.run.picture(item),
            side.run.maps(item, side.run.choice(state, first?.run)),
        ]);
        side.set(image, maps);
    }

    /** The run to compare with cannot be shown: go on without it. @param {unknown} error */
    drop(error) {
        const { host, words, given } = this.viewer;
        const reason = error instanceof Missing ? words("missing") : String(error);
        host.toast("error", words("otherFailed", { reason }));
        if (!given) host.keepBundle(null);
        this.viewer.other = null;
        this.viewer.change({ compare: "off" });
    }
}
