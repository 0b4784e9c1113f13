// What services and networks do to lakes in the catalog of Glue.

import { serviceFaultsSuite } from './harness/service-faults-suite.js';

serviceFaultsSuite('glue');
