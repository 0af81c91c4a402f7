/** The API group of the custom resources. */
export const GROUP = "coil.cybozu.com";
/** The only version of the group, served and stored. */
export const VERSION = "v2";
/** `apiVersion` of every object of the group. */
export const API_VERSION = `${GROUP}/${VERSION}`;

/** Label of an AddressBlock: the pool it was carved from. */
export const LABEL_POOL = "coil.cybozu.com/pool";
/** Label of an AddressBlock: the node that owns it. */
export const LABEL_NODE = "coil.cybozu.com/node";
/** Label of an AddressBlock: the UID of the BlockRequest it answers. */
export const LABEL_REQUEST = "coil.cybozu.com/request";
/** Label of an AddressBlock nobody allocates from or releases, when its value is {@link RESERVED}. */
export const LABEL_RESERVED = "coil.cybozu.com/reserved";
/** The value of {@link LABEL_RESERVED} that counts. */
export const RESERVED = "true";

/**
 * Finalizer of AddressPool and AddressBlock. On pools it is put by coil-ipam-controller, on blocks at their creation; the
 * controller takes it off a pool without blocks, and coild off a block without pods.
 */
export const FINALIZER = "coil.cybozu.com";

/** Annotation of a Namespace: the pool its pods get addresses from. */
export const ANNOTATION_POOL = "coil.cybozu.com/pool";
/** The pool of a namespace without {@link ANNOTATION_POOL}. */
export const DEFAULT_POOL = "default";

/** Annotation of a Pod, followed by a namespace: comma-separated names of Egresses of that namespace. */
export const EGRESS_ANNOTATION_PREFIX = "egress.coil.cybozu.com/";
