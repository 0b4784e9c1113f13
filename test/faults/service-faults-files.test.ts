// What services and networks do to lakes in the catalog of files on S3.

import { serviceFaultsSuite } from './harness/service-faults-suite.js';

serviceFaultsSuite('files');
