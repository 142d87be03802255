/** Settings of the section `ollama`: a second port that speaks to Ollama's clients. */

import { flag, text, wholeNumber } from "./leaf.ts"

/** The section's settings. */
export const OLLAMA_SETTINGS = {
  enabled: flag({
    default: false,
    description: "Opens the port. A port that is taken is logged and tried again; the gateway runs on without it.",
    live: true,
  }),
  host: text({
    default: "127.0.0.1",
    description:
      "Address to serve on, without the port. Ollama's clients send no key: whoever can reach this address can spend your accounts.",
    expected: "a host name or an IP address without brackets and port, such as 127.0.0.1",
    pattern: "^[0-9A-Za-z._:-]+$",
    live: true,
    emptyIsDefault: true,
  }),
  port: wholeNumber({
    default: 11_434,
    minimum: 0,
    maximum: 65_535,
    description: "Port to serve on; Ollama's clients expect this one. 0 takes a free one.",
    live: true,
  }),
  version: text({
    default: "0.18.3",
    description: "Version of Ollama that is reported; some clients refuse to work with old ones.",
    expected: "three numbers such as 0.18.3 (in quotes if YAML would read a number)",
    pattern: "^[0-9]+\\.[0-9]+\\.[0-9]+$",
    live: true,
    emptyIsDefault: true,
  }),
  "disable-vision": flag({
    default: false,
    description: "Does not say of models that they take images. Images that are sent are passed on all the same.",
    live: true,
  }),
  origins: text({
    default: "",
    description:
      "Origins of further web pages that may use the port, separated by commas, with `*` for any text: `https://chat.example.com,chrome-extension://*`. Pages of this machine and desktop applications may always; `null` admits pages that hide their origin.",
    expected: "origins separated by commas, such as https://chat.example.com, or nothing",
    pattern: "^[!-~]*$",
    live: true,
  }),
}
