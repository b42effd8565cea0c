/** A node's result in words: to read, to select and to copy. */
import { button, icon, make } from "../viewer/dom.mjs";
import { css } from "./style.mjs";

/**
 * What the panel needs of the editor.
 * @typedef {object} Site
 * @property {import("../strings.mjs").Words} words
 * @property {(kind: "success" | "warn", text: string) => void} toast
 */

export class Panel {
    /** @param {Site} site */
    constructor(site) {
        this.site = site;
        // A field for text: the editor leaves its keys, its selection and its copies alone.
        this.area = make("textarea", {
            readonly: true, rows: 1, spellcheck: "false", ca: "result-text",
            "aria-label": site.words("result"), "data-capture-wheel": "true",
        });
        const copy = button("result-copy", site.words("copy"), () => void this.copy(), icon("copy"));
        this.element = make("div", { ca: "result" }, make("style", {}, css), this.area, copy);
    }

    /** @param {string} text */
    show(text) {
        if (this.area.value !== text) this.area.value = text; // else a selection would be lost
    }

    async copy() {
        const { words, toast } = this.site;
        if (await this.copied()) toast("success", words("copied"));
        else toast("warn", words("copyFailed"));
    }

    /** Copy all of the text; whether the browser did. */
    async copied() {
        try {
            await navigator.clipboard.writeText(this.area.value);
            return true;
        } catch {
            // Without https a page has no clipboard of its own; what is selected can be copied.
            this.area.focus();
            this.area.select();
            return document.execCommand("copy");
        }
    }
}
