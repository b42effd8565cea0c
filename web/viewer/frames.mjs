/** From one batch item or frame to the next, by hand or playing. */
import { button, icon, make, slide } from "./dom.mjs";

const SPEEDS = [8, 16, 24];

export class Frames {
    /**
     * @param {import("../strings.mjs").Words} words
     * @param {(change: Partial<import("./state.mjs").State>) => void} change
     */
    constructor(words, change) {
        this.words = words;
        this.change = change;
        this.count = 1;
        this.item = 0;
        this.playing = 0;
        this.play = button("play", words("play"), () => this.toggle(), icon("play"));
        this.play.classList.add("icon");
        this.input = make("input", { type: "range", min: 0, ca: "frame", "aria-label": "" });
        this.input.addEventListener("input", () => this.change({ item: Number(this.input.value) }));
        this.text = make("span", { class: "count" });
        const options = SPEEDS.map((speed) => make("option", { value: speed }, `${speed} fps`));
        const title = words("speed");
        this.speed = make("select", { class: "speed", ca: "speed", title, "aria-label": title }, ...options);
        this.speed.addEventListener("change", () => {
            change({ speed: Number(this.speed.value) });
        });
        const parts = [this.play, this.input, this.text, this.speed];
        this.element = make("div", { class: "bar" }, ...parts);
    }

    /** @param {import("./state.mjs").State} state @param {import("./run.mjs").Run} run */
    update(state, run) {
        this.count = run.count;
        this.item = Math.min(state.item, run.count - 1);
        this.element.hidden = run.count < 2;
        this.input.max = String(run.count - 1);
        slide(this.input, this.item);
        this.text.textContent = `${this.item + 1} / ${run.count}`;
        const key = run.frames > 1 && run.bundle.batch === 1 ? "frame" : "item";
        const said = this.words(key, { number: this.item + 1, count: run.count });
        this.input.setAttribute("aria-label", said);
        this.speed.value = String(state.speed);
        if (run.count < 2) this.stop();
    }

    toggle() {
        if (this.playing) return this.stop();
        this.next();
        this.face("pause");
    }

    /** @param {"play" | "pause"} does what the button would do */
    face(does) {
        this.play.title = this.words(does);
        this.play.setAttribute("aria-label", this.words(does));
        this.play.replaceChildren(icon(does));
    }

    /** Show the next one, and so on while the viewer is on the page. */
    next() {
        this.playing = Number(
            setTimeout(() => {
                if (!this.element.isConnected) return this.stop();
                this.change({ item: (this.item + 1) % this.count });
                this.next();
            }, 1000 / Number(this.speed.value)),
        );
    }

    stop() {
        clearTimeout(this.playing);
        this.playing = 0;
        this.face("play");
    }
}
