'use strict';
// One data source for each hospital; `sourceName` is the hospital's id, so a study opens at
// /ohif/viewer/{hospital}?StudyInstanceUIDs={uid} and a hospital's list at /ohif/?datasources={hospital}.
const hospitals = [];

const source = ({ id, name }) => {
  const root = `${window.location.origin}/hospitals/${encodeURIComponent(id)}`;
  return {
    namespace: '@ohif/extension-default.dataSourcesModule.dicomweb',
    sourceName: id,
    configuration: {
      friendlyName: name,
      name: id,
      qidoRoot: `${root}/dicom-web`,
      wadoRoot: `${root}/dicom-web`,
      wadoUriRoot: `${root}/wado`,
      qidoSupportsIncludeField: true,
      supportsFuzzyMatching: true,
      supportsWildcard: true,
      supportsReject: false,
      supportsStow: false,
      dicomUploadEnabled: false,
      imageRendering: 'wadors',
      thumbnailRendering: 'thumbnail',
      thumbnailRequestStrategy: 'fetch',
      enableStudyLazyLoad: true,
      staticWado: false,
      singlepart: 'bulkdata,video,pdf',
      bulkDataURI: { enabled: true },
    },
  };
};

// A finding that is no point or line has no coordinates in a report: masks are segmentations, and some are nowhere. OHIF 3.13 reads the
// first coordinates of every finding without asking whether there are any, and stops. Empty ones make it go on.
const onBeforeSRAddMeasurement = ({ measurement }) => {
  if (!measurement.coords.length) measurement.coords.push({});
  return measurement;
};

window.config = {
  name: 'medvan',
  routerBasename: '/ohif/',
  extensions: [],
  modes: [],
  customizationService: { onBeforeSRAddMeasurement: { $set: onBeforeSRAddMeasurement } },
  showStudyList: true,
  maxNumberOfWebWorkers: 3,
  showWarningMessageForCrossOrigin: false,
  showCPUFallbackMessage: false,
  showLoadingIndicator: true,
  strictZSpacingForVolumeViewport: true,
  groupEnabledModesFirst: true,
  allowMultiSelectExport: false,
  investigationalUseDialog: { option: 'never' },
  maxNumRequests: { interaction: 100, thumbnail: 5, prefetch: 25 },
  showErrorDetails: 'dev',
  defaultDataSourceName: hospitals[0]?.id,
  dataSources: hospitals.map(source),
};
