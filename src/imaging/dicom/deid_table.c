/* deid_table.c: see deid_table.h. The names are the standard's. */
#include "imaging/dicom/deid_table.h"

static const nod_deid_row rows[] = {
    {0x00001000, NOD_DEID_X, false},   /* Affected SOP Instance UID */
    {0x00001001, NOD_DEID_U, false},   /* Requested SOP Instance UID */
    {0x00020003, NOD_DEID_U, false},   /* Media Storage SOP Instance UID */
    {0x00041511, NOD_DEID_U, false},   /* Referenced SOP Instance UID in File */
    {0x00080012, NOD_DEID_XD, true},   /* Instance Creation Date */
    {0x00080013, NOD_DEID_XZD, true},  /* Instance Creation Time */
    {0x00080014, NOD_DEID_U, false},   /* Instance Creator UID */
    {0x00080015, NOD_DEID_X, true},    /* Instance Coercion DateTime */
    {0x00080017, NOD_DEID_U, false},   /* Acquisition UID */
    {0x00080018, NOD_DEID_U, false},   /* SOP Instance UID */
    {0x00080019, NOD_DEID_U, false},   /* Pyramid UID */
    {0x00080020, NOD_DEID_Z, true},    /* Study Date */
    {0x00080021, NOD_DEID_XD, true},   /* Series Date */
    {0x00080022, NOD_DEID_XZ, true},   /* Acquisition Date */
    {0x00080023, NOD_DEID_ZD, true},   /* Content Date */
    {0x00080024, NOD_DEID_X, true},    /* Overlay Date */
    {0x00080025, NOD_DEID_X, true},    /* Curve Date */
    {0x0008002a, NOD_DEID_XZD, true},  /* Acquisition DateTime */
    {0x00080030, NOD_DEID_Z, true},    /* Study Time */
    {0x00080031, NOD_DEID_XD, true},   /* Series Time */
    {0x00080032, NOD_DEID_XZ, true},   /* Acquisition Time */
    {0x00080033, NOD_DEID_ZD, true},   /* Content Time */
    {0x00080034, NOD_DEID_X, true},    /* Overlay Time */
    {0x00080035, NOD_DEID_X, true},    /* Curve Time */
    {0x00080050, NOD_DEID_Z, false},   /* Accession Number */
    {0x00080054, NOD_DEID_X, false},   /* Retrieve AE Title */
    {0x00080055, NOD_DEID_X, false},   /* Station AE Title */
    {0x00080058, NOD_DEID_U, false},   /* Failed SOP Instance UID List */
    {0x00080080, NOD_DEID_XZD, false}, /* Institution Name */
    {0x00080081, NOD_DEID_X, false},   /* Institution Address */
    {0x00080082, NOD_DEID_XZD, false}, /* Institution Code Sequence */
    {0x00080090, NOD_DEID_Z, false},   /* Referring Physician's Name */
    {0x00080092, NOD_DEID_X, false},   /* Referring Physician's Address */
    {0x00080094, NOD_DEID_X, false},   /* Referring Physician's Telephone Numbers */
    {0x00080096, NOD_DEID_X, false},   /* Referring Physician Identification Sequence */
    {0x0008009c, NOD_DEID_Z, false},   /* Consulting Physician's Name */
    {0x0008009d, NOD_DEID_X, false},   /* Consulting Physician Identification Sequence */
    {0x00080106, NOD_DEID_D, true},    /* Context Group Version */
    {0x00080107, NOD_DEID_D, true},    /* Context Group Local Version */
    {0x00080201, NOD_DEID_X, true},    /* Timezone Offset From UTC */
    {0x00081000, NOD_DEID_X, false},   /* Network ID */
    {0x00081010, NOD_DEID_XZD, false}, /* Station Name */
    {0x00081030, NOD_DEID_X, false},   /* Study Description */
    {0x0008103e, NOD_DEID_X, false},   /* Series Description */
    {0x00081040, NOD_DEID_X, false},   /* Institutional Department Name */
    {0x00081041, NOD_DEID_X, false},   /* Institutional Department Type Code Sequence */
    {0x00081048, NOD_DEID_X, false},   /* Physician(s) of Record */
    {0x00081049, NOD_DEID_X, false},   /* Physician(s) of Record Identification Sequence */
    {0x00081050, NOD_DEID_X, false},   /* Performing Physician's Name */
    {0x00081052, NOD_DEID_X, false},   /* Performing Physician Identification Sequence */
    {0x00081060, NOD_DEID_X, false},   /* Name of Physician(s) Reading Study */
    {0x00081062, NOD_DEID_X, false},   /* Physician(s) Reading Study Identification Sequence */
    {0x00081070, NOD_DEID_XZD, false}, /* Operators' Name */
    {0x00081072, NOD_DEID_XD, false},  /* Operator Identification Sequence */
    {0x00081080, NOD_DEID_X, false},   /* Admitting Diagnoses Description */
    {0x00081084, NOD_DEID_X, false},   /* Admitting Diagnoses Code Sequence */
    {0x00081088, NOD_DEID_X, false},   /* Pyramid Description */
    {0x00081110, NOD_DEID_XZ, false},  /* Referenced Study Sequence */
    {0x00081111, NOD_DEID_XZD, false}, /* Referenced Performed Procedure Step Sequence */
    {0x00081120, NOD_DEID_X, false},   /* Referenced Patient Sequence */
    {0x00081140, NOD_DEID_XZU, false}, /* Referenced Image Sequence */
    {0x00081155, NOD_DEID_U, false},   /* Referenced SOP Instance UID */
    {0x00081195, NOD_DEID_U, false},   /* Transaction UID */
    {0x00082111, NOD_DEID_X, false},   /* Derivation Description */
    {0x00082112, NOD_DEID_XZU, false}, /* Source Image Sequence */
    {0x00083010, NOD_DEID_U, false},   /* Irradiation Event UID */
    {0x00084000, NOD_DEID_X, false},   /* Identifying Comments */
    {0x00100010, NOD_DEID_Z, false},   /* Patient's Name */
    {0x00100020, NOD_DEID_ZD, false},  /* Patient ID */
    {0x00100021, NOD_DEID_X, false},   /* Issuer of Patient ID */
    {0x00100030, NOD_DEID_Z, false},   /* Patient's Birth Date */
    {0x00100032, NOD_DEID_X, false},   /* Patient's Birth Time */
    {0x00100040, NOD_DEID_Z, false},   /* Patient's Sex */
    {0x00100050, NOD_DEID_X, false},   /* Patient's Insurance Plan Code Sequence */
    {0x00100101, NOD_DEID_X, false},   /* Patient's Primary Language Code Sequence */
    {0x00100102, NOD_DEID_X, false},   /* Patient's Primary Language Modifier Code Sequence */
    {0x00101000, NOD_DEID_X, false},   /* Other Patient IDs */
    {0x00101001, NOD_DEID_X, false},   /* Other Patient Names */
    {0x00101002, NOD_DEID_X, false},   /* Other Patient IDs Sequence */
    {0x00101005, NOD_DEID_X, false},   /* Patient's Birth Name */
    {0x00101010, NOD_DEID_X, false},   /* Patient's Age */
    {0x00101020, NOD_DEID_X, false},   /* Patient's Size */
    {0x00101030, NOD_DEID_X, false},   /* Patient's Weight */
    {0x00101040, NOD_DEID_X, false},   /* Patient's Address */
    {0x00101050, NOD_DEID_X, false},   /* Insurance Plan Identification */
    {0x00101060, NOD_DEID_X, false},   /* Patient's Mother's Birth Name */
    {0x00101080, NOD_DEID_X, false},   /* Military Rank */
    {0x00101081, NOD_DEID_X, false},   /* Branch of Service */
    {0x00101090, NOD_DEID_X, false},   /* Medical Record Locator */
    {0x00101100, NOD_DEID_X, false},   /* Referenced Patient Photo Sequence */
    {0x00102000, NOD_DEID_X, false},   /* Medical Alerts */
    {0x00102110, NOD_DEID_X, false},   /* Allergies */
    {0x00102150, NOD_DEID_X, false},   /* Country of Residence */
    {0x00102152, NOD_DEID_X, false},   /* Region of Residence */
    {0x00102154, NOD_DEID_X, false},   /* Patient's Telephone Numbers */
    {0x00102155, NOD_DEID_X, false},   /* Patient's Telecom Information */
    {0x00102160, NOD_DEID_X, false},   /* Ethnic Group */
    {0x00102180, NOD_DEID_X, false},   /* Occupation */
    {0x001021a0, NOD_DEID_X, false},   /* Smoking Status */
    {0x001021b0, NOD_DEID_X, false},   /* Additional Patient History */
    {0x001021c0, NOD_DEID_X, false},   /* Pregnancy Status */
    {0x001021d0, NOD_DEID_X, true},    /* Last Menstrual Date */
    {0x001021f0, NOD_DEID_X, false},   /* Patient's Religious Preference */
    {0x00102203, NOD_DEID_XZ, false},  /* Patient's Sex Neutered */
    {0x00102297, NOD_DEID_X, false},   /* Responsible Person */
    {0x00102299, NOD_DEID_X, false},   /* Responsible Organization */
    {0x00104000, NOD_DEID_X, false},   /* Patient Comments */
    {0x00120010, NOD_DEID_D, false},   /* Clinical Trial Sponsor Name */
    {0x00120020, NOD_DEID_D, false},   /* Clinical Trial Protocol ID */
    {0x00120021, NOD_DEID_Z, false},   /* Clinical Trial Protocol Name */
    {0x00120022, NOD_DEID_X, false},   /* Issuer of Clinical Trial Protocol ID */
    {0x00120023, NOD_DEID_X, false},   /* Other Clinical Trial Protocol IDs Sequence */
    {0x00120030, NOD_DEID_Z, false},   /* Clinical Trial Site ID */
    {0x00120031, NOD_DEID_Z, false},   /* Clinical Trial Site Name */
    {0x00120032, NOD_DEID_X, false},   /* Issuer of Clinical Trial Site ID */
    {0x00120040, NOD_DEID_D, false},   /* Clinical Trial Subject ID */
    {0x00120041, NOD_DEID_X, false},   /* Issuer of Clinical Trial Subject ID */
    {0x00120042, NOD_DEID_D, false},   /* Clinical Trial Subject Reading ID */
    {0x00120043, NOD_DEID_X, false},   /* Issuer of Clinical Trial Subject Reading ID */
    {0x00120050, NOD_DEID_Z, false},   /* Clinical Trial Time Point ID */
    {0x00120051, NOD_DEID_X, false},   /* Clinical Trial Time Point Description */
    {0x00120055, NOD_DEID_X, false},   /* Issuer of Clinical Trial Time Point ID */
    {0x00120060, NOD_DEID_Z, false},   /* Clinical Trial Coordinating Center Name */
    {0x00120071, NOD_DEID_X, false},   /* Clinical Trial Series ID */
    {0x00120072, NOD_DEID_X, false},   /* Clinical Trial Series Description */
    {0x00120073, NOD_DEID_X, false},   /* Issuer of Clinical Trial Series ID */
    {0x00120081, NOD_DEID_D, false},   /* Clinical Trial Protocol Ethics Committee Name */
    {0x00120082, NOD_DEID_X, false}, /* Clinical Trial Protocol Ethics Committee Approval ... */
    {0x00120086, NOD_DEID_X, true},  /* Ethics Committee Approval Effectiveness Start Date */
    {0x00120087, NOD_DEID_X, true},  /* Ethics Committee Approval Effectiveness End Date */
    {0x0014407c, NOD_DEID_X, true},  /* Calibration Time */
    {0x0014407e, NOD_DEID_X, true},  /* Calibration Date */
    {0x0016002b, NOD_DEID_X, false}, /* Maker Note */
    {0x0016004b, NOD_DEID_X, false}, /* Device Setting Description */
    {0x0016004d, NOD_DEID_X, false}, /* Camera Owner Name */
    {0x0016004e, NOD_DEID_X, false}, /* Lens Specification */
    {0x0016004f, NOD_DEID_X, false}, /* Lens Make */
    {0x00160050, NOD_DEID_X, false}, /* Lens Model */
    {0x00160051, NOD_DEID_X, false}, /* Lens Serial Number */
    {0x00160070, NOD_DEID_X, false}, /* GPS Version ID */
    {0x00160071, NOD_DEID_X, false}, /* GPS Latitude Ref */
    {0x00160072, NOD_DEID_X, false}, /* GPS Latitude */
    {0x00160073, NOD_DEID_X, false}, /* GPS Longitude Ref */
    {0x00160074, NOD_DEID_X, false}, /* GPS Longitude */
    {0x00160075, NOD_DEID_X, false}, /* GPS Altitude Ref */
    {0x00160076, NOD_DEID_X, false}, /* GPS Altitude */
    {0x00160077, NOD_DEID_X, false}, /* GPS Time Stamp */
    {0x00160078, NOD_DEID_X, false}, /* GPS Satellites */
    {0x00160079, NOD_DEID_X, false}, /* GPS Status */
    {0x0016007a, NOD_DEID_X, false}, /* GPS Measure Mode */
    {0x0016007b, NOD_DEID_X, false}, /* GPS DOP */
    {0x0016007c, NOD_DEID_X, false}, /* GPS Speed Ref */
    {0x0016007d, NOD_DEID_X, false}, /* GPS Speed */
    {0x0016007e, NOD_DEID_X, false}, /* GPS Track Ref */
    {0x0016007f, NOD_DEID_X, false}, /* GPS Track */
    {0x00160080, NOD_DEID_X, false}, /* GPS Img Direction Ref */
    {0x00160081, NOD_DEID_X, false}, /* GPS Img Direction */
    {0x00160082, NOD_DEID_X, false}, /* GPS Map Datum */
    {0x00160083, NOD_DEID_X, false}, /* GPS Dest Latitude Ref */
    {0x00160084, NOD_DEID_X, false}, /* GPS Dest Latitude */
    {0x00160085, NOD_DEID_X, false}, /* GPS Dest Longitude Ref */
    {0x00160086, NOD_DEID_X, false}, /* GPS Dest Longitude */
    {0x00160087, NOD_DEID_X, false}, /* GPS Dest Bearing Ref */
    {0x00160088, NOD_DEID_X, false}, /* GPS Dest Bearing */
    {0x00160089, NOD_DEID_X, false}, /* GPS Dest Distance Ref */
    {0x0016008a, NOD_DEID_X, false}, /* GPS Dest Distance */
    {0x0016008b, NOD_DEID_X, false}, /* GPS Processing Method */
    {0x0016008c, NOD_DEID_X, false}, /* GPS Area Information */
    {0x0016008d, NOD_DEID_X, true},  /* GPS Date Stamp */
    {0x0016008e, NOD_DEID_X, false}, /* GPS Differential */
    {0x00180010, NOD_DEID_ZD, false},  /* Contrast/Bolus Agent */
    {0x00180027, NOD_DEID_X, true},    /* Intervention Drug Stop Time */
    {0x00180035, NOD_DEID_X, true},    /* Intervention Drug Start Time */
    {0x00181000, NOD_DEID_XZD, false}, /* Device Serial Number */
    {0x00181002, NOD_DEID_U, false},   /* Device UID */
    {0x00181004, NOD_DEID_X, false},   /* Plate ID */
    {0x00181005, NOD_DEID_X, false},   /* Generator ID */
    {0x00181007, NOD_DEID_X, false},   /* Cassette ID */
    {0x00181008, NOD_DEID_X, false},   /* Gantry ID */
    {0x00181009, NOD_DEID_X, false},   /* Unique Device Identifier */
    {0x0018100a, NOD_DEID_X, false},   /* UDI Sequence */
    {0x0018100b, NOD_DEID_U, false},   /* Manufacturer's Device Class UID */
    {0x00181012, NOD_DEID_X, true},    /* Date of Secondary Capture */
    {0x00181014, NOD_DEID_X, true},    /* Time of Secondary Capture */
    {0x00181030, NOD_DEID_XD, false},  /* Protocol Name */
    {0x00181042, NOD_DEID_X, true},    /* Contrast/Bolus Start Time */
    {0x00181043, NOD_DEID_X, true},    /* Contrast/Bolus Stop Time */
    {0x00181072, NOD_DEID_X, true},    /* Radiopharmaceutical Start Time */
    {0x00181073, NOD_DEID_X, true},    /* Radiopharmaceutical Stop Time */
    {0x00181078, NOD_DEID_X, true},    /* Radiopharmaceutical Start DateTime */
    {0x00181079, NOD_DEID_X, true},    /* Radiopharmaceutical Stop DateTime */
    {0x001811bb, NOD_DEID_D, false},   /* Acquisition Field Of View Label */
    {0x00181200, NOD_DEID_X, true},    /* Date of Last Calibration */
    {0x00181201, NOD_DEID_X, true},    /* Time of Last Calibration */
    {0x00181202, NOD_DEID_X, true},    /* DateTime of Last Calibration */
    {0x00181203, NOD_DEID_Z, true},    /* Calibration DateTime */
    {0x00181204, NOD_DEID_X, true},    /* Date of Manufacture */
    {0x00181205, NOD_DEID_X, true},    /* Date of Installation */
    {0x00181400, NOD_DEID_XD, false},  /* Acquisition Device Processing Description */
    {0x00182042, NOD_DEID_U, false},   /* Target UID */
    {0x00184000, NOD_DEID_X, false},   /* Acquisition Comments */
    {0x00185011, NOD_DEID_X, false},   /* Transducer Identification Sequence */
    {0x0018700a, NOD_DEID_XD, false},  /* Detector ID */
    {0x0018700c, NOD_DEID_XD, true},   /* Date of Last Detector Calibration */
    {0x0018700e, NOD_DEID_XD, true},   /* Time of Last Detector Calibration */
    {0x00189074, NOD_DEID_D, true},    /* Frame Acquisition DateTime */
    {0x00189151, NOD_DEID_D, true},    /* Frame Reference DateTime */
    {0x00189185, NOD_DEID_X, false}, /* Respiratory Motion Compensation Technique Description */
    {0x00189367, NOD_DEID_D, false}, /* X-Ray Source ID */
    {0x00189369, NOD_DEID_D, true},  /* Source Start DateTime */
    {0x0018936a, NOD_DEID_D, true},  /* Source End DateTime */
    {0x00189371, NOD_DEID_D, false}, /* X-Ray Detector ID */
    {0x00189373, NOD_DEID_X, false}, /* X-Ray Detector Label */
    {0x0018937b, NOD_DEID_X, false}, /* Multi-energy Acquisition Description */
    {0x0018937f, NOD_DEID_X, false}, /* Decomposition Description */
    {0x00189424, NOD_DEID_X, false}, /* Acquisition Protocol Description */
    {0x00189516, NOD_DEID_XD, true}, /* Start Acquisition DateTime */
    {0x00189517, NOD_DEID_XD, true}, /* End Acquisition DateTime */
    {0x00189623, NOD_DEID_D, true},  /* Functional Sync Pulse */
    {0x00189701, NOD_DEID_D, true},  /* Decay Correction DateTime */
    {0x00189804, NOD_DEID_D, true},  /* Exclusion Start DateTime */
    {0x00189919, NOD_DEID_ZD, true}, /* Instruction Performed DateTime */
    {0x00189937, NOD_DEID_X, false}, /* Requested Series Description */
    {0x0018a002, NOD_DEID_X, true},  /* Contribution DateTime */
    {0x0018a003, NOD_DEID_X, false}, /* Contribution Description */
    {0x0020000d, NOD_DEID_U, false}, /* Study Instance UID */
    {0x0020000e, NOD_DEID_U, false}, /* Series Instance UID */
    {0x00200010, NOD_DEID_Z, false}, /* Study ID */
    {0x00200027, NOD_DEID_X, false}, /* Pyramid Label */
    {0x00200052, NOD_DEID_U, false}, /* Frame of Reference UID */
    {0x00200200, NOD_DEID_U, false}, /* Synchronization Frame of Reference UID */
    {0x00203401, NOD_DEID_X, false}, /* Modifying Device ID */
    {0x00203403, NOD_DEID_X, true},  /* Modified Image Date */
    {0x00203405, NOD_DEID_X, true},  /* Modified Image Time */
    {0x00203406, NOD_DEID_X, false}, /* Modified Image Description */
    {0x00204000, NOD_DEID_X, false}, /* Image Comments */
    {0x00209158, NOD_DEID_X, false}, /* Frame Comments */
    {0x00209161, NOD_DEID_U, false}, /* Concatenation UID */
    {0x00209164, NOD_DEID_U, false}, /* Dimension Organization UID */
    {0x00281199, NOD_DEID_U, false}, /* Palette Color Lookup Table UID */
    {0x00281214, NOD_DEID_U, false}, /* Large Palette Color Lookup Table UID */
    {0x00284000, NOD_DEID_X, false}, /* Image Presentation Comments */
    {0x00320012, NOD_DEID_X, false}, /* Study ID Issuer */
    {0x00320032, NOD_DEID_X, true},  /* Study Verified Date */
    {0x00320033, NOD_DEID_X, true},  /* Study Verified Time */
    {0x00320034, NOD_DEID_X, true},  /* Study Read Date */
    {0x00320035, NOD_DEID_X, true},  /* Study Read Time */
    {0x00321000, NOD_DEID_X, true},  /* Scheduled Study Start Date */
    {0x00321001, NOD_DEID_X, true},  /* Scheduled Study Start Time */
    {0x00321010, NOD_DEID_X, true},  /* Scheduled Study Stop Date */
    {0x00321011, NOD_DEID_X, true},  /* Scheduled Study Stop Time */
    {0x00321020, NOD_DEID_X, false}, /* Scheduled Study Location */
    {0x00321021, NOD_DEID_X, false}, /* Scheduled Study Location AE Title */
    {0x00321030, NOD_DEID_X, false}, /* Reason for Study */
    {0x00321032, NOD_DEID_X, false}, /* Requesting Physician */
    {0x00321033, NOD_DEID_X, false}, /* Requesting Service */
    {0x00321040, NOD_DEID_X, true},  /* Study Arrival Date */
    {0x00321041, NOD_DEID_X, true},  /* Study Arrival Time */
    {0x00321050, NOD_DEID_X, true},  /* Study Completion Date */
    {0x00321051, NOD_DEID_X, true},  /* Study Completion Time */
    {0x00321060, NOD_DEID_XZ, false}, /* Requested Procedure Description */
    {0x00321066, NOD_DEID_X, false},  /* Reason for Visit */
    {0x00321067, NOD_DEID_X, false},  /* Reason for Visit Code Sequence */
    {0x00321070, NOD_DEID_X, false},  /* Requested Contrast Agent */
    {0x00324000, NOD_DEID_X, false},  /* Study Comments */
    {0x00340001, NOD_DEID_D, false},  /* Flow Identifier Sequence */
    {0x00340002, NOD_DEID_D, false},  /* Flow Identifier */
    {0x00340005, NOD_DEID_D, false},  /* Source Identifier */
    {0x00340007, NOD_DEID_D, true},   /* Frame Origin Timestamp */
    {0x00380004, NOD_DEID_X, false},  /* Referenced Patient Alias Sequence */
    {0x00380010, NOD_DEID_X, false},  /* Admission ID */
    {0x00380011, NOD_DEID_X, false},  /* Issuer of Admission ID */
    {0x00380014, NOD_DEID_X, false},  /* Issuer of Admission ID Sequence */
    {0x0038001a, NOD_DEID_X, true},   /* Scheduled Admission Date */
    {0x0038001b, NOD_DEID_X, true},   /* Scheduled Admission Time */
    {0x0038001c, NOD_DEID_X, true},   /* Scheduled Discharge Date */
    {0x0038001d, NOD_DEID_X, true},   /* Scheduled Discharge Time */
    {0x0038001e, NOD_DEID_X, false},  /* Scheduled Patient Institution Residence */
    {0x00380020, NOD_DEID_X, true},   /* Admitting Date */
    {0x00380021, NOD_DEID_X, true},   /* Admitting Time */
    {0x00380030, NOD_DEID_X, true},   /* Discharge Date */
    {0x00380032, NOD_DEID_X, true},   /* Discharge Time */
    {0x00380040, NOD_DEID_X, false},  /* Discharge Diagnosis Description */
    {0x00380050, NOD_DEID_X, false},  /* Special Needs */
    {0x00380060, NOD_DEID_X, false},  /* Service Episode ID */
    {0x00380061, NOD_DEID_X, false},  /* Issuer of Service Episode ID */
    {0x00380062, NOD_DEID_X, false},  /* Service Episode Description */
    {0x00380064, NOD_DEID_X, false},  /* Issuer of Service Episode ID Sequence */
    {0x00380300, NOD_DEID_X, false},  /* Current Patient Location */
    {0x00380400, NOD_DEID_X, false},  /* Patient's Institution Residence */
    {0x00380500, NOD_DEID_X, false},  /* Patient State */
    {0x00384000, NOD_DEID_X, false},  /* Visit Comments */
    {0x003a0310, NOD_DEID_U, false},  /* Multiplex Group UID */
    {0x003a0314, NOD_DEID_D, true},   /* Impedance Measurement DateTime */
    {0x003a0329, NOD_DEID_X, false},  /* Waveform Filter Description */
    {0x003a032b, NOD_DEID_X, false},  /* Filter Lookup Table Description */
    {0x00400001, NOD_DEID_X, false},  /* Scheduled Station AE Title */
    {0x00400002, NOD_DEID_X, true},   /* Scheduled Procedure Step Start Date */
    {0x00400003, NOD_DEID_X, true},   /* Scheduled Procedure Step Start Time */
    {0x00400004, NOD_DEID_X, true},   /* Scheduled Procedure Step End Date */
    {0x00400005, NOD_DEID_X, true},   /* Scheduled Procedure Step End Time */
    {0x00400006, NOD_DEID_X, false},  /* Scheduled Performing Physician's Name */
    {0x00400007, NOD_DEID_X, false},  /* Scheduled Procedure Step Description */
    {0x00400009, NOD_DEID_X, false},  /* Scheduled Procedure Step ID */
    {0x0040000b, NOD_DEID_X, false}, /* Scheduled Performing Physician Identification Seq ... */
    {0x00400010, NOD_DEID_X, false}, /* Scheduled Station Name */
    {0x00400011, NOD_DEID_X, false}, /* Scheduled Procedure Step Location */
    {0x00400012, NOD_DEID_X, false}, /* Pre-Medication */
    {0x00400241, NOD_DEID_X, false}, /* Performed Station AE Title */
    {0x00400242, NOD_DEID_X, false}, /* Performed Station Name */
    {0x00400243, NOD_DEID_X, false}, /* Performed Location */
    {0x00400244, NOD_DEID_X, true},  /* Performed Procedure Step Start Date */
    {0x00400245, NOD_DEID_X, true},  /* Performed Procedure Step Start Time */
    {0x00400250, NOD_DEID_X, true},  /* Performed Procedure Step End Date */
    {0x00400251, NOD_DEID_X, true},  /* Performed Procedure Step End Time */
    {0x00400253, NOD_DEID_X, false}, /* Performed Procedure Step ID */
    {0x00400254, NOD_DEID_X, false}, /* Performed Procedure Step Description */
    {0x00400275, NOD_DEID_X, false}, /* Request Attributes Sequence */
    {0x00400280, NOD_DEID_X, false}, /* Comments on the Performed Procedure Step */
    {0x00400310, NOD_DEID_X, false}, /* Comments on Radiation Dose */
    {0x0040050a, NOD_DEID_X, false}, /* Specimen Accession Number */
    {0x00400512, NOD_DEID_D, false}, /* Container Identifier */
    {0x00400513, NOD_DEID_Z, false}, /* Issuer of the Container Identifier Sequence */
    {0x0040051a, NOD_DEID_X, false}, /* Container Description */
    {0x00400551, NOD_DEID_D, false}, /* Specimen Identifier */
    {0x00400554, NOD_DEID_U, false}, /* Specimen UID */
    {0x00400555, NOD_DEID_XZ, false}, /* Acquisition Context Sequence */
    {0x00400562, NOD_DEID_Z, false},  /* Issuer of the Specimen Identifier Sequence */
    {0x00400600, NOD_DEID_X, false},  /* Specimen Short Description */
    {0x00400602, NOD_DEID_X, false},  /* Specimen Detailed Description */
    {0x00400610, NOD_DEID_Z, false},  /* Specimen Preparation Sequence */
    {0x004006fa, NOD_DEID_X, false},  /* Slide Identifier */
    {0x00401001, NOD_DEID_X, false},  /* Requested Procedure ID */
    {0x00401002, NOD_DEID_X, false},  /* Reason for the Requested Procedure */
    {0x00401004, NOD_DEID_X, false},  /* Patient Transport Arrangements */
    {0x00401005, NOD_DEID_X, false},  /* Requested Procedure Location */
    {0x0040100a, NOD_DEID_X, false},  /* Reason for Requested Procedure Code Sequence */
    {0x00401010, NOD_DEID_X, false},  /* Names of Intended Recipients of Results */
    {0x00401011, NOD_DEID_X, false}, /* Intended Recipients of Results Identification Seq ... */
    {0x00401101, NOD_DEID_D, false}, /* Person Identification Code Sequence */
    {0x00401102, NOD_DEID_X, false}, /* Person's Address */
    {0x00401103, NOD_DEID_X, false}, /* Person's Telephone Numbers */
    {0x00401104, NOD_DEID_X, false}, /* Person's Telecom Information */
    {0x00401400, NOD_DEID_X, false}, /* Requested Procedure Comments */
    {0x00402001, NOD_DEID_X, false}, /* Reason for the Imaging Service Request */
    {0x00402004, NOD_DEID_X, true},  /* Issue Date of Imaging Service Request */
    {0x00402005, NOD_DEID_X, true},  /* Issue Time of Imaging Service Request */
    {0x00402008, NOD_DEID_X, false}, /* Order Entered By */
    {0x00402009, NOD_DEID_X, false}, /* Order Enterer's Location */
    {0x00402010, NOD_DEID_X, false}, /* Order Callback Phone Number */
    {0x00402011, NOD_DEID_X, false}, /* Order Callback Telecom Information */
    {0x00402016, NOD_DEID_Z, false}, /* Placer Order Number / Imaging Service Request */
    {0x00402017, NOD_DEID_Z, false}, /* Filler Order Number / Imaging Service Request */
    {0x00402400, NOD_DEID_X, false}, /* Imaging Service Request Comments */
    {0x00403001, NOD_DEID_X, false}, /* Confidentiality Constraint on Patient Data Descri ... */
    {0x00404005, NOD_DEID_X, true},  /* Scheduled Procedure Step Start DateTime */
    {0x00404008, NOD_DEID_X, true},  /* Scheduled Procedure Step Expiration DateTime */
    {0x00404010, NOD_DEID_X, true},  /* Scheduled Procedure Step Modification DateTime */
    {0x00404011, NOD_DEID_X, true},  /* Expected Completion DateTime */
    {0x00404023, NOD_DEID_U, false}, /* Referenced General Purpose Scheduled Procedure St ... */
    {0x00404025, NOD_DEID_X, false}, /* Scheduled Station Name Code Sequence */
    {0x00404027, NOD_DEID_X, false}, /* Scheduled Station Geographic Location Code Sequence */
    {0x00404028, NOD_DEID_X, false}, /* Performed Station Name Code Sequence */
    {0x00404030, NOD_DEID_X, false}, /* Performed Station Geographic Location Code Sequence */
    {0x00404034, NOD_DEID_X, false}, /* Scheduled Human Performers Sequence */
    {0x00404035, NOD_DEID_X, false}, /* Actual Human Performers Sequence */
    {0x00404036, NOD_DEID_X, false}, /* Human Performer's Organization */
    {0x00404037, NOD_DEID_X, false}, /* Human Performer's Name */
    {0x00404050, NOD_DEID_X, true},  /* Performed Procedure Step Start DateTime */
    {0x00404051, NOD_DEID_X, true},  /* Performed Procedure Step End DateTime */
    {0x00404052, NOD_DEID_X, true},  /* Procedure Step Cancellation DateTime */
    {0x0040a023, NOD_DEID_X, true},  /* Findings Group Recording Date (Trial) */
    {0x0040a024, NOD_DEID_X, true},  /* Findings Group Recording Time (Trial) */
    {0x0040a027, NOD_DEID_D, false}, /* Verifying Organization */
    {0x0040a030, NOD_DEID_D, true},  /* Verification DateTime */
    {0x0040a032, NOD_DEID_XD, true}, /* Observation DateTime */
    {0x0040a033, NOD_DEID_X, true},  /* Observation Start DateTime */
    {0x0040a073, NOD_DEID_D, false}, /* Verifying Observer Sequence */
    {0x0040a075, NOD_DEID_D, false}, /* Verifying Observer Name */
    {0x0040a078, NOD_DEID_X, false}, /* Author Observer Sequence */
    {0x0040a07a, NOD_DEID_X, false}, /* Participant Sequence */
    {0x0040a07c, NOD_DEID_X, false}, /* Custodial Organization Sequence */
    {0x0040a082, NOD_DEID_Z, true},  /* Participation DateTime */
    {0x0040a088, NOD_DEID_Z, false}, /* Verifying Observer Identification Code Sequence */
    {0x0040a110, NOD_DEID_X, true},  /* Date of Document or Verbal Transaction (Trial) */
    {0x0040a112, NOD_DEID_X, true}, /* Time of Document Creation or Verbal Transaction (T ... */
    {0x0040a120, NOD_DEID_D, true}, /* DateTime */
    {0x0040a121, NOD_DEID_D, true}, /* Date */
    {0x0040a122, NOD_DEID_D, true}, /* Time */
    {0x0040a123, NOD_DEID_D, false},  /* Person Name */
    {0x0040a124, NOD_DEID_U, false},  /* UID */
    {0x0040a13a, NOD_DEID_D, true},   /* Referenced DateTime */
    {0x0040a171, NOD_DEID_U, false},  /* Observation UID */
    {0x0040a172, NOD_DEID_U, false},  /* Referenced Observation UID (Trial) */
    {0x0040a192, NOD_DEID_X, true},   /* Observation Date (Trial) */
    {0x0040a193, NOD_DEID_X, true},   /* Observation Time (Trial) */
    {0x0040a307, NOD_DEID_X, false},  /* Current Observer (Trial) */
    {0x0040a352, NOD_DEID_X, false},  /* Verbal Source (Trial) */
    {0x0040a353, NOD_DEID_X, false},  /* Address (Trial) */
    {0x0040a354, NOD_DEID_X, false},  /* Telephone Number (Trial) */
    {0x0040a358, NOD_DEID_X, false},  /* Verbal Source Identifier Code Sequence (Trial) */
    {0x0040a402, NOD_DEID_U, false},  /* Observation Subject UID (Trial) */
    {0x0040a730, NOD_DEID_D, false},  /* Content Sequence */
    {0x0040db06, NOD_DEID_X, true},   /* Template Version */
    {0x0040db07, NOD_DEID_X, true},   /* Template Local Version */
    {0x0040db0c, NOD_DEID_U, false},  /* Template Extension Organization UID */
    {0x0040db0d, NOD_DEID_U, false},  /* Template Extension Creator UID */
    {0x0040e004, NOD_DEID_X, true},   /* HL7 Document Effective Time */
    {0x00420011, NOD_DEID_D, false},  /* Encapsulated Document */
    {0x00440004, NOD_DEID_X, true},   /* Approval Status DateTime */
    {0x0044000b, NOD_DEID_X, true},   /* Product Expiration DateTime */
    {0x00440010, NOD_DEID_X, true},   /* Substance Administration DateTime */
    {0x00440104, NOD_DEID_D, true},   /* Assertion DateTime */
    {0x00440105, NOD_DEID_X, true},   /* Assertion Expiration DateTime */
    {0x0050001b, NOD_DEID_X, false},  /* Container Component ID */
    {0x00500020, NOD_DEID_X, false},  /* Device Description */
    {0x00500021, NOD_DEID_X, false},  /* Long Device Description */
    {0x00620021, NOD_DEID_U, false},  /* Tracking UID */
    {0x00640003, NOD_DEID_U, false},  /* Source Frame of Reference UID */
    {0x00686226, NOD_DEID_D, true},   /* Effective DateTime */
    {0x00686270, NOD_DEID_D, true},   /* Information Issue DateTime */
    {0x006a0003, NOD_DEID_D, false},  /* Annotation Group UID */
    {0x006a0005, NOD_DEID_D, false},  /* Annotation Group Label */
    {0x006a0006, NOD_DEID_X, false},  /* Annotation Group Description */
    {0x00700001, NOD_DEID_D, false},  /* Graphic Annotation Sequence */
    {0x00700082, NOD_DEID_X, true},   /* Presentation Creation Date */
    {0x00700083, NOD_DEID_X, true},   /* Presentation Creation Time */
    {0x00700084, NOD_DEID_ZD, false}, /* Content Creator's Name */
    {0x00700086, NOD_DEID_X, false},  /* Content Creator's Identification Code Sequence */
    {0x0070031a, NOD_DEID_U, false},  /* Fiducial UID */
    {0x00701101, NOD_DEID_U, false},  /* Presentation Display Collection UID */
    {0x00701102, NOD_DEID_U, false},  /* Presentation Sequence Collection UID */
    {0x0072000a, NOD_DEID_D, true},   /* Hanging Protocol Creation DateTime */
    {0x0072005e, NOD_DEID_D, false},  /* Selector AE Value */
    {0x0072005f, NOD_DEID_D, false},  /* Selector AS Value */
    {0x00720061, NOD_DEID_D, true},   /* Selector DA Value */
    {0x00720063, NOD_DEID_D, true},   /* Selector DT Value */
    {0x00720065, NOD_DEID_D, false},  /* Selector OB Value */
    {0x00720066, NOD_DEID_D, false},  /* Selector LO Value */
    {0x00720068, NOD_DEID_D, false},  /* Selector LT Value */
    {0x0072006a, NOD_DEID_D, false},  /* Selector PN Value */
    {0x0072006b, NOD_DEID_D, true},   /* Selector TM Value */
    {0x0072006c, NOD_DEID_D, false},  /* Selector SH Value */
    {0x0072006d, NOD_DEID_D, false},  /* Selector UN Value */
    {0x0072006e, NOD_DEID_D, false},  /* Selector ST Value */
    {0x00720070, NOD_DEID_D, false},  /* Selector UT Value */
    {0x00720071, NOD_DEID_D, false},  /* Selector UR Value */
    {0x00741234, NOD_DEID_X, false},  /* Receiving AE */
    {0x00741236, NOD_DEID_X, false},  /* Requesting AE */
    {0x00880140, NOD_DEID_U, false},  /* Storage Media File-set UID */
    {0x00880200, NOD_DEID_X, false},  /* Icon Image Sequence (see Note 11) */
    {0x00880904, NOD_DEID_X, false},  /* Topic Title */
    {0x00880906, NOD_DEID_X, false},  /* Topic Subject */
    {0x00880910, NOD_DEID_X, false},  /* Topic Author */
    {0x00880912, NOD_DEID_X, false},  /* Topic Keywords */
    {0x01000420, NOD_DEID_X, true},   /* SOP Authorization DateTime */
    {0x04000100, NOD_DEID_U, false},  /* Digital Signature UID */
    {0x04000105, NOD_DEID_D, true},   /* Digital Signature DateTime */
    {0x04000115, NOD_DEID_D, false},  /* Certificate of Signer */
    {0x04000310, NOD_DEID_X, true},   /* Certified Timestamp */
    {0x04000402, NOD_DEID_X, false},  /* Referenced Digital Signature Sequence */
    {0x04000403, NOD_DEID_X, false},  /* Referenced SOP Instance MAC Sequence */
    {0x04000404, NOD_DEID_X, false},  /* MAC */
    {0x04000550, NOD_DEID_X, false},  /* Modified Attributes Sequence */
    {0x04000551, NOD_DEID_X, false},  /* Nonconforming Modified Attributes Sequence */
    {0x04000552, NOD_DEID_X, false},  /* Nonconforming Data Element Value */
    {0x04000561, NOD_DEID_X, false},  /* Original Attributes Sequence */
    {0x04000562, NOD_DEID_D, true},   /* Attribute Modification DateTime */
    {0x04000563, NOD_DEID_D, false},  /* Modifying System */
    {0x04000564, NOD_DEID_Z, false},  /* Source of Previous Values */
    {0x04000565, NOD_DEID_D, false},  /* Reason for the Attribute Modification */
    {0x04000600, NOD_DEID_X, false},  /* Instance Origin Status */
    {0x20300020, NOD_DEID_X, false},  /* Text String */
    {0x21000040, NOD_DEID_X, true},   /* Creation Date */
    {0x21000050, NOD_DEID_X, true},   /* Creation Time */
    {0x21000070, NOD_DEID_X, false},  /* Originator */
    {0x21000140, NOD_DEID_D, false},  /* Destination AE */
    {0x22000002, NOD_DEID_XZ, false}, /* Label Text */
    {0x22000005, NOD_DEID_XZ, false}, /* Barcode Value */
    {0x30020121, NOD_DEID_X, false},  /* Position Acquisition Template Name */
    {0x30020123, NOD_DEID_X, false},  /* Position Acquisition Template Description */
    {0x30060002, NOD_DEID_D, false},  /* Structure Set Label */
    {0x30060004, NOD_DEID_X, false},  /* Structure Set Name */
    {0x30060006, NOD_DEID_X, false},  /* Structure Set Description */
    {0x30060008, NOD_DEID_Z, true},   /* Structure Set Date */
    {0x30060009, NOD_DEID_Z, true},   /* Structure Set Time */
    {0x30060024, NOD_DEID_U, false},  /* Referenced Frame of Reference UID */
    {0x30060026, NOD_DEID_Z, false},  /* ROI Name */
    {0x30060028, NOD_DEID_X, false},  /* ROI Description */
    {0x3006002d, NOD_DEID_X, true},   /* ROI DateTime */
    {0x3006002e, NOD_DEID_X, true},   /* ROI Observation DateTime */
    {0x30060038, NOD_DEID_X, false},  /* ROI Generation Description */
    {0x3006004d, NOD_DEID_X, false},  /* ROI Creator Sequence */
    {0x3006004e, NOD_DEID_X, false},  /* ROI Interpreter Sequence */
    {0x30060085, NOD_DEID_X, false},  /* ROI Observation Label */
    {0x30060088, NOD_DEID_X, false},  /* ROI Observation Description */
    {0x300600a6, NOD_DEID_Z, false},  /* ROI Interpreter */
    {0x300600c2, NOD_DEID_U, false},  /* Related Frame of Reference UID */
    {0x30080024, NOD_DEID_D, true},   /* Treatment Control Point Date */
    {0x30080025, NOD_DEID_D, true},   /* Treatment Control Point Time */
    {0x30080054, NOD_DEID_XD, true},  /* First Treatment Date */
    {0x30080056, NOD_DEID_XD, true},  /* Most Recent Treatment Date */
    {0x30080105, NOD_DEID_XZ, false}, /* Source Serial Number */
    {0x30080162, NOD_DEID_D, true},   /* Safe Position Exit Date */
    {0x30080164, NOD_DEID_D, true},   /* Safe Position Exit Time */
    {0x30080166, NOD_DEID_D, true},   /* Safe Position Return Date */
    {0x30080168, NOD_DEID_D, true},   /* Safe Position Return Time */
    {0x30080250, NOD_DEID_XD, true},  /* Treatment Date */
    {0x30080251, NOD_DEID_XD, true},  /* Treatment Time */
    {0x300a0002, NOD_DEID_D, false},  /* RT Plan Label */
    {0x300a0003, NOD_DEID_X, false},  /* RT Plan Name */
    {0x300a0004, NOD_DEID_X, false},  /* RT Plan Description */
    {0x300a0006, NOD_DEID_XD, true},  /* RT Plan Date */
    {0x300a0007, NOD_DEID_XD, true},  /* RT Plan Time */
    {0x300a000b, NOD_DEID_X, false},  /* Treatment Sites */
    {0x300a000e, NOD_DEID_X, false},  /* Prescription Description */
    {0x300a0013, NOD_DEID_U, false},  /* Dose Reference UID */
    {0x300a0016, NOD_DEID_X, false},  /* Dose Reference Description */
    {0x300a0072, NOD_DEID_X, false},  /* Fraction Group Description */
    {0x300a0083, NOD_DEID_U, false},  /* Referenced Dose Reference UID */
    {0x300a00b2, NOD_DEID_XZ, false}, /* Treatment Machine Name */
    {0x300a00c3, NOD_DEID_X, false},  /* Beam Description */
    {0x300a00dd, NOD_DEID_X, false},  /* Bolus Description */
    {0x300a0196, NOD_DEID_X, false},  /* Fixation Device Description */
    {0x300a01a6, NOD_DEID_X, false},  /* Shielding Device Description */
    {0x300a01b2, NOD_DEID_X, false},  /* Setup Technique Description */
    {0x300a0216, NOD_DEID_X, false},  /* Source Manufacturer */
    {0x300a022c, NOD_DEID_D, true},   /* Source Strength Reference Date */
    {0x300a022e, NOD_DEID_D, true},   /* Source Strength Reference Time */
    {0x300a02eb, NOD_DEID_X, false},  /* Compensator Description */
    {0x300a0608, NOD_DEID_D, false},  /* Treatment Position Group Label */
    {0x300a0609, NOD_DEID_U, false},  /* Treatment Position Group UID */
    {0x300a0611, NOD_DEID_Z, false},  /* RT Accessory Holder Slot ID */
    {0x300a0615, NOD_DEID_Z, false},  /* RT Accessory Device Slot ID */
    {0x300a0619, NOD_DEID_D, false},  /* Radiation Dose Identification Label */
    {0x300a0623, NOD_DEID_D, false},  /* Radiation Dose In-Vivo Measurement Label */
    {0x300a062a, NOD_DEID_D, false},  /* RT Tolerance Set Label */
    {0x300a0650, NOD_DEID_U, false},  /* Patient Setup UID */
    {0x300a0676, NOD_DEID_X, false},  /* Equipment Frame of Reference Description */
    {0x300a067c, NOD_DEID_D, false},  /* Radiation Generation Mode Label */
    {0x300a067d, NOD_DEID_Z, false},  /* Radiation Generation Mode Description */
    {0x300a0700, NOD_DEID_U, false},  /* Treatment Session UID */
    {0x300a0734, NOD_DEID_D, false},  /* Treatment Tolerance Violation Description */
    {0x300a0736, NOD_DEID_D, true},   /* Treatment Tolerance Violation DateTime */
    {0x300a073a, NOD_DEID_D, true},   /* Recorded RT Control Point DateTime */
    {0x300a0741, NOD_DEID_D, true},   /* Interlock DateTime */
    {0x300a0742, NOD_DEID_D, false},  /* Interlock Description */
    {0x300a0760, NOD_DEID_D, true},   /* Override DateTime */
    {0x300a0783, NOD_DEID_D, false},  /* Interlock Origin Description */
    {0x300a0785, NOD_DEID_U, false},  /* Referenced Treatment Position Group UID */
    {0x300a078e, NOD_DEID_X, false}, /* Patient Treatment Preparation Procedure Parameter ... */
    {0x300a0792, NOD_DEID_X, false}, /* Patient Treatment Preparation Method Description */
    {0x300a0794, NOD_DEID_X, false}, /* Patient Setup Photo Description */
    {0x300a079a, NOD_DEID_X, false}, /* Displacement Reference Label */
    {0x300c0113, NOD_DEID_X, false}, /* Reason for Omission Description */
    {0x300c0127, NOD_DEID_D, true},  /* Beam Hold Transition DateTime */
    {0x300e0004, NOD_DEID_Z, true},  /* Review Date */
    {0x300e0005, NOD_DEID_Z, true},  /* Review Time */
    {0x300e0008, NOD_DEID_XZ, false}, /* Reviewer Name */
    {0x30100006, NOD_DEID_U, false},  /* Conceptual Volume UID */
    {0x3010000b, NOD_DEID_U, false},  /* Referenced Conceptual Volume UID */
    {0x3010000f, NOD_DEID_Z, false},  /* Conceptual Volume Combination Description */
    {0x30100013, NOD_DEID_U, false},  /* Constituent Conceptual Volume UID */
    {0x30100015, NOD_DEID_U, false},  /* Source Conceptual Volume UID */
    {0x30100017, NOD_DEID_Z, false},  /* Conceptual Volume Description */
    {0x3010001b, NOD_DEID_Z, false},  /* Device Alternate Identifier */
    {0x3010002d, NOD_DEID_D, false},  /* Device Label */
    {0x30100031, NOD_DEID_U, false},  /* Referenced Fiducials UID */
    {0x30100033, NOD_DEID_D, false},  /* User Content Label */
    {0x30100034, NOD_DEID_D, false},  /* User Content Long Label */
    {0x30100035, NOD_DEID_D, false},  /* Entity Label */
    {0x30100036, NOD_DEID_X, false},  /* Entity Name */
    {0x30100037, NOD_DEID_X, false},  /* Entity Description */
    {0x30100038, NOD_DEID_D, false},  /* Entity Long Label */
    {0x3010003b, NOD_DEID_U, false},  /* RT Treatment Phase UID */
    {0x30100043, NOD_DEID_Z, false},  /* Manufacturer's Device Identifier */
    {0x3010004c, NOD_DEID_XD, true},  /* Intended Phase Start Date */
    {0x3010004d, NOD_DEID_XD, true},  /* Intended Phase End Date */
    {0x30100054, NOD_DEID_D, false},  /* RT Prescription Label */
    {0x30100056, NOD_DEID_XD, false}, /* RT Treatment Approach Label */
    {0x3010005a, NOD_DEID_Z, false},  /* RT Physician Intent Narrative */
    {0x3010005c, NOD_DEID_Z, false},  /* Reason for Superseding */
    {0x30100061, NOD_DEID_X, false},  /* Prior Treatment Dose Description */
    {0x3010006e, NOD_DEID_U, false},  /* Dosimetric Objective UID */
    {0x3010006f, NOD_DEID_U, false},  /* Referenced Dosimetric Objective UID */
    {0x30100077, NOD_DEID_XD, false}, /* Treatment Site */
    {0x3010007a, NOD_DEID_Z, false},  /* Treatment Technique Notes */
    {0x3010007b, NOD_DEID_Z, false},  /* Prescription Notes */
    {0x3010007f, NOD_DEID_Z, false},  /* Fractionation Notes */
    {0x30100081, NOD_DEID_Z, false},  /* Prescription Notes Sequence */
    {0x30100085, NOD_DEID_X, true},   /* Intended Fraction Start Time */
    {0x40000010, NOD_DEID_X, false},  /* Arbitrary */
    {0x40004000, NOD_DEID_X, false},  /* Text Comments */
    {0x40080040, NOD_DEID_X, false},  /* Results ID */
    {0x40080042, NOD_DEID_X, false},  /* Results ID Issuer */
    {0x40080100, NOD_DEID_X, true},   /* Interpretation Recorded Date */
    {0x40080101, NOD_DEID_X, true},   /* Interpretation Recorded Time */
    {0x40080102, NOD_DEID_X, false},  /* Interpretation Recorder */
    {0x40080108, NOD_DEID_X, true},   /* Interpretation Transcription Date */
    {0x40080109, NOD_DEID_X, true},   /* Interpretation Transcription Time */
    {0x4008010a, NOD_DEID_X, false},  /* Interpretation Transcriber */
    {0x4008010b, NOD_DEID_X, false},  /* Interpretation Text */
    {0x4008010c, NOD_DEID_X, false},  /* Interpretation Author */
    {0x40080111, NOD_DEID_X, false},  /* Interpretation Approver Sequence */
    {0x40080112, NOD_DEID_X, true},   /* Interpretation Approval Date */
    {0x40080113, NOD_DEID_X, true},   /* Interpretation Approval Time */
    {0x40080114, NOD_DEID_X, false},  /* Physician Approving Interpretation */
    {0x40080115, NOD_DEID_X, false},  /* Interpretation Diagnosis Description */
    {0x40080118, NOD_DEID_X, false},  /* Results Distribution List Sequence */
    {0x40080119, NOD_DEID_X, false},  /* Distribution Name */
    {0x4008011a, NOD_DEID_X, false},  /* Distribution Address */
    {0x40080200, NOD_DEID_X, false},  /* Interpretation ID */
    {0x40080202, NOD_DEID_X, false},  /* Interpretation ID Issuer */
    {0x40080300, NOD_DEID_X, false},  /* Impressions */
    {0x40084000, NOD_DEID_X, false},  /* Results Comments */
    {0xfffafffa, NOD_DEID_X, false},  /* Digital Signatures Sequence */
    {0xfffcfffc, NOD_DEID_X, false},  /* Data Set Trailing Padding */
};

enum { N_ROWS = sizeof rows / sizeof rows[0] };

const nod_deid_row *nod_deid_row_find(uint32_t tag)
{
    size_t first = 0, n = N_ROWS;
    while (n > 0) {
        size_t half = n / 2;
        if (rows[first + half].tag < tag) {
            first += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return first < N_ROWS && rows[first].tag == tag ? &rows[first] : NULL;
}

const nod_deid_row *nod_deid_row_get(size_t i)
{
    return i < N_ROWS ? &rows[i] : NULL;
}
