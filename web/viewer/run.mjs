/** One run as the node describes it: its pictures and its maps. */
import { Missing, Scores } from "./client.mjs";

/** What ConceptAttentionViewer sends; see core/view.py. @typedef {any} Bundle */

const PICTURES = 64; // decoded ones that are kept

export class Run {
    /** @param {Bundle} bundle @param {(file: any) => string} address of a file of the server */
    constructor(bundle, address) {
        this.bundle = bundle;
        this.spans = /** @type {number[]} */ (bundle.spans);
        this.frames = this.spans.reduce((sum, span) => sum + span, 0);
        this.count = bundle.batch * this.frames;
        this.labels = /** @type {string[]} */ (bundle.labels);
        this.shownLabels = this.labels.filter((_, i) => !bundle.background[i]);
        // As core/segments.py: a concept wins where it has more than the background.
        const hidden = (/** @type {number} */ i) => Number(Boolean(bundle.background[i]));
        this.rivals = this.labels.map((_, i) => i).sort((a, b) => hidden(b) - hidden(a) || a - b);
        this.grid = { rows: bundle.grid[0], columns: bundle.grid[1], covered: bundle.covered };
        this.address = (/** @type {string} */ filename) => address({ filename, ...bundle.files });
        this.scores = new Scores(bundle, (number) => this.address(name("scores", number, "f16")));
        /** @type {Map<number, Promise<HTMLImageElement>>} */
        this.images = new Map();
    }

    /** The concept that is shown until a person chooses another: the first that the node puts out. */
    get first() {
        const chosen = this.bundle.chosen.concepts ?? [];
        return this.shownLabels.find((label) => label === chosen[0]) ?? this.shownLabels[0];
    }

    /** Whether layers, steps and temperature can be chosen. */
    get decodes() {
        return this.bundle.kind === "scores";
    }

    /** What positions and temperatures of one run mean the same in another. */
    get layout() {
        const { family, layers, steps, total_layers, total_steps } = this.bundle;
        return JSON.stringify([family, layers, steps, total_layers, total_steps]);
    }

    /** @returns {import("./geometry.mjs").Size} */
    get size() {
        return { width: this.bundle.size[1], height: this.bundle.size[0] };
    }

    /** The scores behind a batch item or frame. @param {number} item */
    number(item) {
        let frame = item % this.frames;
        let token = 0;
        while (frame >= this.spans[token]) frame -= this.spans[token++];
        return Math.floor(item / this.frames) * this.spans.length + token;
    }

    /** @param {number} item @returns {Promise<HTMLImageElement>} */
    picture(item) {
        const number = this.bundle.pictures === 1 ? 0 : item;
        const found = this.images.get(number) ?? load(this.address(name("picture", number, "png")));
        this.images.delete(number);
        this.images.set(number, found);
        found.catch(() => this.images.delete(number));
        const oldest = this.images.keys().next().value;
        if (this.images.size > PICTURES && oldest !== undefined) this.images.delete(oldest);
        return found;
    }

    /**
     * Every concept's shares.
     * @param {number} item @param {import("./decode.mjs").Choice} choice
     */
    async maps(item, choice) {
        const maps = await this.scores.maps(this.number(item), choice);
        const size = this.grid.rows * this.grid.columns;
        this.ranges?.forEach(([low, high], index) => {
            const end = (index + 1) * size;
            for (let i = index * size; i < end; i++) maps[i] = low + maps[i] * (high - low);
        });
        return maps;
    }

    /** For maps that were stretched: the shares that each one's ends stand for. */
    get ranges() {
        const pairs = /** @type {[number, number][] | undefined} */ (this.bundle.value_range);
        return pairs && this.labels.map((_, i) => pairs[pairs.length > 1 ? i : 0]);
    }

    /** Load an item that is shown next. @param {number} item */
    prefetch(item) {
        this.picture(item).catch(() => undefined);
        this.scores.prefetch(this.number(item));
    }

    /**
     * The choice that a state makes among what this run has. It was made for another run's layers
     * and steps where those differ, and then says nothing of this one's.
     * @param {import("./state.mjs").State} state @param {Run} [madeFor]
     * @returns {import("./decode.mjs").Choice}
     */
    choice(state, madeFor = this) {
        if (madeFor.layout !== this.layout) {
            state = { ...state, layers: null, steps: null, temperature: null };
        }
        const own = this.bundle.chosen;
        const usable = (/** @type {number[] | null} */ list, /** @type {any[]} */ entries) =>
            list && list.every((position) => position < entries.length) ? list : null;
        return {
            layers: usable(state.layers, this.bundle.layers ?? []) ?? own.layers ?? [],
            steps: usable(state.steps, this.bundle.steps ?? []) ?? own.steps ?? [],
            temperature: state.temperature ?? own.temperature ?? 1,
            smoothing: state.smoothing ?? own.smoothing ?? 0,
        };
    }
}

/**
 * The whole of a bundle: one that was too large for the message is a file.
 * @param {Bundle} bundle @param {(file: any) => string} address
 * @returns {Promise<Bundle>}
 */
export async function whole(bundle, address) {
    if (!bundle.more) return bundle;
    const answer = await get(address({ filename: bundle.more, ...bundle.files }));
    return answer.json();
}

/** @param {string} kind @param {number} number @param {string} suffix */
function name(kind, number, suffix) {
    return `${kind}-${String(number).padStart(5, "0")}.${suffix}`;
}

/** @param {string} url @returns {Promise<HTMLImageElement>} */
async function load(url) {
    const answer = await get(url);
    const place = URL.createObjectURL(await answer.blob());
    const image = new Image();
    image.src = place;
    try {
        await image.decode();
    } finally {
        URL.revokeObjectURL(place);
    }
    return image;
}

/** @param {string} url */
async function get(url) {
    const answer = await fetch(url);
    if (answer.status === 404) throw new Missing();
    if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
    return answer;
}
