/** The row of the Concept Encoder: a button, and below it the prompt's nouns as chips. */
import { make } from "../viewer/dom.mjs";
import { css } from "./style.mjs";
import { has, textOf, toggle } from "./text.mjs";

/** @typedef {{text: string, style: boolean}} Proposal */
/**
 * What the panel needs of the node that it is on.
 * @typedef {object} Site
 * @property {(key: string, values?: Record<string, string>) => string} words
 * @property {() => Promise<Proposal[] | undefined>} ask the prompt's nouns; what went wrong with
 *   it has been said
 * @property {() => string} text of the concepts
 * @property {(text: string) => void} write the concepts
 * @property {(height: number) => void} resize
 */

export const ROW = 26; // pixels of the button's row
const MOST = 116; // pixels of chips; more of them are scrolled
const TAKEN = 16; // chips that are pressed at once, as the prompt input takes them

export class Panel {
    /** @param {Site} site */
    constructor(site) {
        this.site = site;
        /** @type {Proposal[]} */
        this.proposals = [];
        const { words } = site;
        this.open = make(
            "button",
            { class: "open", type: "button", ca: "from-prompt", "aria-expanded": "false" },
            words("fromPrompt"),
        );
        this.open.addEventListener("click", () => void this.pressed());
        this.all = make(
            "button",
            { type: "button", ca: "use-all", title: words("allHint"), hidden: true },
            words("all"),
        );
        this.all.addEventListener("click", () => this.takeAll());
        this.chips = make("div", {
            class: "chips", role: "group", hidden: true,
            "aria-label": words("fromPrompt"), "data-capture-wheel": "true",
        });
        this.chips.style.maxHeight = `${MOST}px`;
        const bar = make("div", { class: "bar" }, this.open, this.all);
        this.root = make("div", { class: "root" }, bar, this.chips);
        this.element = make("div", { ca: "encoder" });
        this.element.attachShadow({ mode: "open" }).append(make("style", {}, css), this.root);
        // Chips wrap anew when the node gets wider.
        new ResizeObserver(() => this.fit()).observe(this.root);
        this.describe();
    }

    /** Whether chips are shown. */
    get expanded() {
        return this.proposals.length > 0;
    }

    /** Ask for the prompt's nouns; once more hides them. */
    async pressed() {
        if (this.expanded) return this.show([]);
        this.open.disabled = true;
        try {
            this.show((await this.site.ask()) ?? []);
        } finally {
            this.open.disabled = false;
        }
    }

    /** @param {Proposal[]} proposals */
    show(proposals) {
        this.proposals = proposals;
        this.chips.replaceChildren(...proposals.map((each) => this.chip(each)));
        this.chips.hidden = this.all.hidden = !this.expanded;
        this.describe();
        this.refresh();
        this.fit();
    }

    /** The button says what it does next. */
    describe() {
        this.open.setAttribute("aria-expanded", String(this.expanded));
        this.open.title = this.site.words(this.expanded ? "hide" : "fromPromptHint");
    }

    /** @param {Proposal} proposal */
    chip({ text, style }) {
        const chip = make("button", { type: "button", ca: "chip", class: style && "style" }, text);
        chip.addEventListener("click", () => this.write(toggle(this.site.text(), text)));
        return chip;
    }

    takeAll() {
        const things = this.proposals.filter((each) => !each.style);
        const taken = (things.length ? things : this.proposals).slice(0, TAKEN);
        this.write(textOf(taken.map((each) => each.text)));
    }

    /** @param {string} text */
    write(text) {
        this.site.write(text);
        this.refresh();
    }

    /** Press the chips of what is among the concepts. */
    refresh() {
        const concepts = this.site.text();
        this.proposals.forEach(({ text }, index) => {
            const chip = this.chips.children[index];
            const pressed = has(concepts, text);
            chip.setAttribute("aria-pressed", String(pressed));
            chip.title = this.site.words(pressed ? "remove" : "add", { concept: text });
        });
    }

    /** Make room for the chips, and no more. */
    fit() {
        const chips = this.expanded ? this.chips.offsetHeight : 0;
        if (this.expanded && !chips) return; // the node is not drawn now
        this.site.resize(ROW + chips);
    }
}
