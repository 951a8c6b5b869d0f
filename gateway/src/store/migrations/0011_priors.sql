-- The earlier study that a service is given to compare with, and which images of it, as JSON; nothing where there is none.
ALTER TABLE jobs ADD COLUMN prior TEXT;

-- The studies of a patient before a day, the latest first.
DROP INDEX studies_of_patient;
CREATE INDEX studies_of_patient ON studies (hospital, patient_id, date);
