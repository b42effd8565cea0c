/** The viewer: one run, perhaps a second to compare with, and what a person does with them. */
import { Missing } from "./client.mjs";
import { hues } from "./colours.mjs";
import { Face } from "./face.mjs";
import { contained } from "./geometry.mjs";
import { keyed } from "./keys.mjs";
import { Loader } from "./loader.mjs";
import { inputs } from "./mask.mjs";
import { Painter } from "./painter.mjs";
import { Run, whole } from "./run.mjs";
import { send } from "./send.mjs";
import { Side } from "./side.mjs";
import { shown, togglePin } from "./state.mjs";

/**
 * @typedef {object} Host what the viewer needs of the editor
 * @property {import("../strings.mjs").Words} words
 * @property {import("./state.mjs").State} state
 * @property {(state: import("./state.mjs").State) => void} remember
 * @property {(file: any) => string} address
 * @property {(values: Record<string, any>) => string[]} setInputs gives the names of those that come
 *   from other nodes and cannot be set
 * @property {(kind: "success" | "warn" | "error", text: string) => void} toast
 * @property {(by: number) => void} grow make the node taller, in pixels
 * @property {() => any} keptBundle
 * @property {(bundle: any) => void} keepBundle
 */

export class Viewer {
    /** @param {Host} host */
    constructor(host) {
        this.host = host;
        this.words = host.words;
        this.state = host.state;
        /** @type {Side | null} */
        this.side = null;
        /** @type {Side | null} */
        this.other = null;
        /** @type {string | null} */
        this.hovered = null;
        /** @type {import("./painter.mjs").Probe | null} */
        this.probe = null;
        /** @type {Uint8Array | null} */
        this.table = null;
        /** @type {Map<string, import("./colours.mjs").Colour>} */
        this.hues = new Map();
        /** @type {any[] | null} */
        this.said = null;
        this.given = this.scheduled = false;
        this.loader = new Loader(this);
        this.face = new Face(this.words, this.acts());
        this.painter = new Painter(this.face, this.words);
        this.face.stage.say(this.words("empty"), "empty");
        this.face.stage.setSplit(null, []);
        this.face.open(this.state.controls);
    }

    /** @returns {import("./face.mjs").Acts} */
    acts() {
        return {
            change: (change) => this.change(change),
            pin: (label) => this.change(togglePin(this.state, label)),
            hover: (label) => {
                this.hovered = label;
                this.schedule();
            },
            paint: () => this.schedule(),
            view: (view) => {
                this.state = { ...this.state, view };
                this.host.remember(this.state);
                this.schedule();
            },
            point: (point, right) => {
                this.probe = point && { point, right };
                this.schedule(false);
            },
            click: (point, right) => this.clicked(point, right),
            keep: () => this.keep(),
            send: (what) => void send(this, what),
            useAsMask: () => this.useAsMask(),
            key: (event) => keyed(this, event),
        };
    }

    /**
     * What the node said: its run, and perhaps one to compare with.
     * @param {any[]} bundles
     */
    async show(bundles) {
        this.said = bundles;
        try {
            const [bundle, second] = await Promise.all(
                bundles.map((each) => whole(each, this.host.address)),
            );
            if (this.said === bundles) this.showWhole(bundle, second);
        } catch (error) {
            if (this.said === bundles) this.fail(error);
        }
    }

    /** @param {any} bundle @param {any} [second] */
    showWhole(bundle, second) {
        const other = second ?? this.host.keptBundle();
        this.side = this.made(bundle, this.side);
        this.setOther(other ? this.made(other, this.other) : null);
        this.given = Boolean(second);
        this.probe = null;
        const { run } = this.side;
        // By name, so that a concept has one colour in both runs.
        const names = [...new Set([...run.labels, ...(this.other?.run.labels ?? [])])];
        const colours = hues(names.length);
        this.hues = new Map(names.map((label, i) => [label, colours[i]]));
        this.hovered = null; // its row may be replaced without the pointer leaving it
        this.face.legend.list(run, this.hues);
        this.face.stage.picture = run.size;
        this.face.full = true;
        if (this.state.item >= run.count) this.state = { ...this.state, item: 0 };
        this.face.stage.say(this.words("loading"), "loading");
        this.apply();
    }

    /** @param {Side | null} other what the run is compared with */
    setOther(other) {
        this.other = other;
        const frame = other && this.side && contained(other.run.size, this.side.run.size);
        if (other && frame) other.frame = frame;
    }

    /**
     * The side of a bundle; the one that is there if only its settings changed.
     * @param {any} bundle @param {Side | null} [there] @returns {Side}
     */
    made(bundle, there) {
        if (!there || bundle.id !== there.run.bundle.id) return new Side(new Run(bundle, this.host.address));
        // Not in place: a run that is kept to compare with may be the same one.
        there.run.bundle = { ...there.run.bundle, chosen: bundle.chosen };
        return there;
    }

    /** @param {Partial<import("./state.mjs").State>} change */
    change(change) {
        this.state = { ...this.state, ...change };
        this.host.remember(this.state);
        this.apply();
    }

    /** Take over a state, as of a workflow that was opened. @param {import("./state.mjs").State} state */
    restore(state) {
        this.state = state;
        this.face.open(state.controls); // the node has the size for it already
        this.face.stage.see(state.view);
        this.apply();
    }

    /** Bring everything to the state. */
    apply() {
        const { state, side, face } = this;
        if (!side) return;
        const taller = face.open(state.controls);
        if (taller) this.host.grow(taller);
        face.controls.update(state, side.run);
        face.frames.update(state, side.run);
        const kept = Boolean(this.host.keptBundle());
        face.toolbar.update(state, { other: this.other !== null, kept });
        void this.loader.load();
    }

    /** @param {unknown} error */
    fail(error) {
        const { stage } = this.face;
        if (error instanceof Missing) stage.say(this.words("missing"), "missing");
        else stage.say(this.words("failed", { reason: String(error) }), "failed");
    }

    /** The run on the right of the split, if there is one. */
    get compared() {
        return this.state.compare === "runs" ? this.other : null;
    }

    get shown() {
        const run = this.side?.run;
        return shown(this.state, run?.shownLabels ?? [], this.hovered, run?.first);
    }

    /** What is to be seen, once all of it is there. @returns {import("./painter.mjs").Scene | null} */
    get scene() {
        const { side, compared, table, state, hues, shown } = this;
        if (!side?.ready || !table) return null;
        const threshold = state.threshold ?? side.run.bundle.chosen.threshold ?? 0;
        const hovered = state.mode === "segments" ? this.hovered : null;
        const look = { state, shown, hovered, hues, table, threshold };
        return { side, compared: compared?.ready ? compared : null, look };
    }

    /** Paint with the next frame, once; or, if only the pointer moved, read what is under it.
     * @param {boolean} [anew] */
    schedule(anew = true) {
        this.stale ||= anew;
        if (this.scheduled) return;
        this.scheduled = true;
        requestAnimationFrame(() => {
            this.scheduled = false;
            const { scene, stale } = this;
            this.stale = false;
            if (!scene) return;
            if (stale && !this.painter.paint(scene)) return;
            this.painter.read(scene, this.probe);
        });
    }

    /** @param {{u: number, v: number}} point @param {boolean} right */
    clicked(point, right) {
        const side = right && this.compared ? this.compared : this.side;
        if (!side?.ready) return;
        const { labels, bundle } = side.run;
        const values = side.values(point.u, point.v);
        if (!values) return;
        const shown = values.map((value, i) => (bundle.background[i] ? -1 : value));
        const label = labels[shown.indexOf(Math.max(...shown))];
        if (this.side?.run.shownLabels.includes(label)) this.change(togglePin(this.state, label));
    }

    /** Keep this run to compare the next one with it, or let go of the one that is kept. */
    keep() {
        const kept = this.host.keptBundle();
        const bundle = kept ? null : this.side?.run.bundle;
        this.host.keepBundle(bundle);
        if (!this.given) this.setOther(bundle && this.made(bundle));
        if (bundle) this.host.toast("success", this.words("kept"));
        this.change(this.other ? {} : { compare: "off" });
    }

    useAsMask() {
        if (!this.side) return;
        const linked = this.host.setInputs(inputs(this.side.run, this.state, this.shown));
        const concept = this.shown.join(", ");
        if (linked.length) {
            this.host.toast("warn", this.words("maskLinked", { inputs: linked.join(", ") }));
        } else this.host.toast("success", this.words("maskSet", { concept }));
    }
}
