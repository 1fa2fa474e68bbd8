"""Response codes of what Exchange can do and this program never asks for: each would be a surprise."""

from __future__ import annotations

from exchange.ews.meanings import REPORT, UNEXPECTED, Meaning, table


def _of(topic: str) -> Meaning:
    return Meaning(UNEXPECTED, f"it is about {topic}, which nobody asked for", REPORT)


NEVER_ASKED_FOR = table(
    (
        _of("voice mail and telephony"),
        (
            "ErrorDeleteUnifiedMessagingPromptFailed ErrorInvalidPhoneCallId ErrorInvalidPhoneNumber"
            " ErrorInvalidUserInfo ErrorInvalidSIPUri ErrorIPGatewayNotFound ErrorPhoneNumberNotDialable"
            " ErrorPromptPublishingOperationFailed ErrorUnifiedMessagingDialPlanNotFound"
            " ErrorUnifiedMessagingReportDataNotFound ErrorUnifiedMessagingPromptNotFound"
            " ErrorUnifiedMessagingRequestFailed ErrorUnifiedMessagingServerNotFound"
            " ErrorUserNotUnifiedMessagingEnabled ErrorVoiceMailNotImplemented ErrorNoSpeechDetected"
            " ErrorUMServerUnavailable ErrorRecognizerNotInstalled ErrorSpeechGrammarError"
        ),
    ),
    (
        _of("groups, teams and contacts of instant messaging"),
        (
            "ErrorImContactLimitReached ErrorImGroupDisplayNameAlreadyExists ErrorImGroupLimitReached"
            " ErrorInvalidImContactId ErrorInvalidImDistributionGroupSmtpAddress ErrorInvalidImGroupId"
            " ErrorTeamMailboxNotFound ErrorTeamMailboxNotLinkedToSharePoint ErrorTeamMailboxUrlValidationFailed"
            " ErrorTeamMailboxNotAuthorizedOwner ErrorTeamMailboxActiveToPendingDelete"
            " ErrorTeamMailboxFailedSendingNotifications ErrorTeamMailboxErrorUnknown"
            " ErrorUnifiedGroupMailboxAADCreationFailed ErrorUnifiedGroupMailboxAADDeleteFailed"
            " ErrorUnifiedGroupMailboxNamingPolicy ErrorUnifiedGroupMailboxDeleteFailed"
            " ErrorUnifiedGroupMailboxNotFound ErrorUnifiedGroupMailboxUpdateDelayed"
            " ErrorUnifiedGroupMailboxUpdatedPartialProperties ErrorUnifiedGroupMailboxUpdateFailed"
            " ErrorUnifiedGroupMailboxProvisionFailed ErrorUnableToRemoveImContactFromGroup"
            " ErrorCalendarIsGroupMailboxForAccept ErrorCalendarIsGroupMailboxForDecline"
            " ErrorCalendarIsGroupMailboxForTentative ErrorCalendarIsGroupMailboxForSuppressReadReceipt"
            " ErrorUnexpectedUnifiedGroupsCount ErrorUnifiedGroupAlreadyExists"
            " ErrorUnifiedGroupAadAuthorizationRequestDenied ErrorUnifiedGroupCreationDisabled"
        ),
    ),
    (
        _of("apps for Outlook"),
        (
            "ErrorCannotDisableMandatoryExtension ErrorCannotGetExternalEcpUrl ErrorExtensionNotFound"
            " ErrorInvalidClientAccessTokenRequest ErrorMarketPlaceExtensionAlreadyInstalledForOrg"
            " ErrorExtensionAlreadyInstalledForOrg ErrorNewerExtensionAlreadyInstalled"
            " ErrorNewerMarketPlaceExtensionAlreadyInstalled ErrorInvalidExtensionId"
            " ErrorCannotUninstallProvidedExtensions ErrorNoRbacPermissionToInstallMarketPlaceExtensions"
            " ErrorNoRbacPermissionToInstallReadWriteMailboxExtensions"
        ),
    ),
    (
        _of("notifications and synchronisation"),
        (
            "ErrorEventNotFound ErrorExceededSubscriptionCount ErrorExpiredSubscription"
            " ErrorInvalidPullSubscriptionId ErrorInvalidPushSubscriptionUrl ErrorInvalidSubscription"
            " ErrorInvalidSubscriptionRequest ErrorInvalidSyncStateData ErrorInvalidWatermark"
            " ErrorProxiedSubscriptionCallFailure ErrorReadEventsFailed ErrorSubscriptionAccessDenied"
            " ErrorSubscriptionDelegateAccessNotSupported ErrorSubscriptionNotFound ErrorSubscriptionUnsubscribed"
            " ErrorSyncFolderNotFound ErrorNewEventStreamConnectionOpened ErrorMissedNotificationEvents"
        ),
    ),
    (
        _of("sharing with other organisations"),
        (
            "ErrorMissingInformationSharingFolderId ErrorSharingSynchronizationFailed"
            " ErrorSharingNoExternalEwsAvailable ErrorInvalidGetSharingFolderRequest"
            " ErrorNotAllowedExternalSharingByPolicy ErrorUserNotAllowedByPolicy ErrorPermissionNotAllowedByPolicy"
            " ErrorInvalidExternalSharingInitiator ErrorUserWithoutFederatedProxyAddress"
            " ErrorInvalidExternalSharingSubscriber ErrorInvalidSharingData ErrorInvalidSharingMessage"
            " ErrorNotSupportedSharingMessage"
        ),
    ),
    (
        _of("delegates and permissions"),
        (
            "ErrorAddDelegatesFailed ErrorCalendarIsDelegatedForAccept ErrorCalendarIsDelegatedForDecline"
            " ErrorCalendarIsDelegatedForRemove ErrorCalendarIsDelegatedForTentative"
            " ErrorCannotSetCalendarPermissionOnNonCalendarFolder"
            " ErrorCannotSetNonCalendarPermissionOnCalendarFolder ErrorCannotSetPermissionUnknownEntries"
            " ErrorDelegateAlreadyExists ErrorDelegateCannotAddOwner ErrorDelegateMissingConfiguration"
            " ErrorDelegateNoUser ErrorDelegateValidationFailed ErrorDistinguishedUserNotSupported"
            " ErrorDuplicateUserIdsSpecified ErrorInvalidAccessLevel ErrorInvalidDelegatePermission"
            " ErrorInvalidDelegateUserId ErrorInvalidPermissionSettings ErrorInvalidUserSid"
            " ErrorInvalidUserSidMissingUPN ErrorMissingUserIdInformation ErrorNotDelegate"
            " ErrorRemoveDelegatesFailed ErrorUpdateDelegatesFailed"
        ),
    ),
    (
        _of("archives, retention and managed folders"),
        (
            "ErrorArchiveFolderPathCreation ErrorArchiveMailboxNotEnabled"
            " ErrorArchiveMailboxServiceDiscoveryFailed ErrorCannotArchiveCalendarContactTaskFolderException"
            " ErrorCannotArchiveItemsInPublicFolders ErrorCannotArchiveItemsInArchiveMailbox"
            " ErrorCreateManagedFolderPartialCompletion ErrorInvalidItemForOperationArchiveItem"
            " ErrorInvalidManagedFolderProperty ErrorInvalidManagedFolderQuota ErrorInvalidManagedFolderSize"
            " ErrorInvalidRetentionTagTypeMismatch ErrorInvalidRetentionTagInvisible"
            " ErrorInvalidRetentionTagInheritance ErrorInvalidRetentionTagIdGuid ErrorMailboxHoldNotFound"
            " ErrorManagedFolderAlreadyExists ErrorManagedFolderNotFound ErrorManagedFoldersRootFailure"
            " ErrorMissingEmailAddressForManagedFolder ErrorMissingManagedFolderId ErrorArchiveMailboxSearchFailed"
            " ErrorGetRemoteArchiveFolderFailed ErrorFindRemoteArchiveFolderFailed ErrorGetRemoteArchiveItemFailed"
            " ErrorExportRemoteArchiveItemsFailed ErrorInvalidRetentionTagNone"
        ),
    ),
    (
        _of("searching in mailboxes"),
        (
            "ErrorCannotSpecifySearchFolderAsSourceFolder ErrorContainsFilterWrongType"
            " ErrorContentIndexingNotEnabled ErrorInvalidAttachmentSubfilter"
            " ErrorInvalidAttachmentSubfilterTextFilter ErrorInvalidExcludesRestriction"
            " ErrorInvalidExpressionTypeForSubFilter ErrorInvalidFractionalPagingParameters"
            " ErrorInvalidIndexedPagingParameters ErrorInvalidPropertyForExists ErrorInvalidRecipientSubfilter"
            " ErrorInvalidRecipientSubfilterComparison ErrorInvalidRecipientSubfilterOrder"
            " ErrorInvalidRecipientSubfilterTextFilter ErrorInvalidRestriction ErrorInvalidSubfilterType"
            " ErrorInvalidSubfilterTypeNotAttendeeType ErrorInvalidSubfilterTypeNotRecipientType"
            " ErrorQueryFilterTooLong ErrorRestrictionTooLong ErrorRestrictionTooComplex"
            " ErrorSearchFolderNotInitialized ErrorUnsupportedSubFilter ErrorUnsupportedPathForQuery"
            " ErrorUnsupportedPathForSortGroup ErrorUnsupportedQueryFilter"
            " ErrorMailboxScopeNotAllowedWithoutQueryString ErrorSearchQueryHasTooManyKeywords"
            " ErrorSearchTooManyMailboxes ErrorDiscoverySearchesDisabled ErrorCalendarSeekToConditionNotSupported"
            " ErrorInstantSearchSessionExpired ErrorInstantSearchTimeout ErrorInstantSearchFailed"
            " ErrorUnsupportedUserForExecuteSearch ErrorDuplicateExtendedKeywordDefinition"
            " ErrorNoSenderRestrictionsSettingsFoundInRequest ErrorDuplicateSenderRestrictionsInputFound"
            " ErrorSenderRestrictionsUpdateFailed"
        ),
    ),
    (
        _of("names and lists in the address book"),
        (
            "ErrorADSessionFilter ErrorDistributionListMemberNotExist ErrorInvalidContactEmailAddress"
            " ErrorInvalidContactEmailIndex ErrorInvalidIdReturnedByResolveNames"
            " ErrorInvalidItemForOperationExpandDL ErrorInvalidNameForNameResolution"
            " ErrorResolveNamesInvalidFolderType ErrorResolveNamesOnlyOneContactsFolderAllowed"
            " ErrorInvalidPhotoSize"
        ),
    ),
    (
        _of("message tracking, locations and the weather"),
        (
            "ErrorMessageTrackingPermanentError ErrorMessageTrackingTransientError"
            " ErrorMessageTrackingNoSuchDomain ErrorLocationServicesDisabled ErrorLocationServicesRequestTimedOut"
            " ErrorLocationServicesRequestFailed ErrorLocationServicesInvalidRequest ErrorWeatherServiceDisabled"
            " ErrorInvalidBulkActionType ErrorInvalidLongitude ErrorInvalidLatitude"
        ),
    ),
    (
        _of("rules, sweeps and conversations"),
        (
            "ErrorClientIntentInvalidStateDefinition ErrorClientIntentNotFound ErrorInvalidLikeRequest"
            " ErrorApplyConversationActionFailed ErrorInboxRulesValidationError ErrorOutlookRuleBlobExists"
            " ErrorRulesOverQuota ErrorInvalidKeepNCount ErrorInvalidKeepNType ErrorInvalidSweepRule"
            " ErrorInvalidSweepRuleOperationType ErrorInvalidReportMessageActionType"
        ),
    ),
    (
        _of("attachments and mail in its raw form"),
        (
            "ErrorAttachmentNestLevelLimitExceeded ErrorAttachmentSizeLimitExceeded ErrorCannotOpenFileAttachment"
            " ErrorInvalidAttachmentId ErrorInvalidIdNotAnItemAttachmentId ErrorInvalidIdTooManyAttachmentLevels"
            " ErrorInvalidInternetHeaderChildNodes ErrorInvalidItemForOperationCreateItemAttachment"
            " ErrorMimeContentConversionFailed ErrorMimeContentInvalid ErrorMimeContentInvalidBase64String"
            " ErrorMissingItemForCreateItemAttachment ErrorUnsupportedMimeConversion ErrorParsingXMLResponse"
        ),
    ),
    (
        _of("sending mail"),
        (
            "ErrorInvalidItemForOperationSendItem ErrorInvalidReferenceItem ErrorInvalidSendItemSaveSettings"
            " ErrorMessageDispositionRequired ErrorMessageSizeExceeded ErrorMissingInformationReferenceItemId"
            " ErrorReadReceiptNotPending ErrorSendAsDenied ErrorSubmissionQuotaExceeded ErrorVirusDetected"
            " ErrorVirusMessageDeleted ErrorMessagePerFolderCountReceiveQuotaExceeded"
            " ErrorMessageSubmissionBlocked ErrorExceededMessageLimit ErrorExceededMaxRecipientLimitBlock"
            " ErrorExceededMaxRecipientLimit ErrorMessageBlocked ErrorExceededMessageLimitShowTierUpgrade"
            " ErrorExceededMaxRecipientLimitShowTierUpgrade"
        ),
    ),
    (
        _of("meetings that are answered or sent"),
        (
            "ErrorCalendarIsCancelledForAccept ErrorCalendarIsCancelledForDecline"
            " ErrorCalendarIsCancelledForRemove ErrorCalendarIsCancelledForTentative ErrorCalendarIsNotOrganizer"
            " ErrorCalendarIsOrganizerForAccept ErrorCalendarIsOrganizerForDecline"
            " ErrorCalendarIsOrganizerForRemove ErrorCalendarIsOrganizerForTentative"
            " ErrorCalendarMeetingRequestIsOutOfDate ErrorInvalidItemForOperationAcceptItem"
            " ErrorInvalidItemForOperationDeclineItem ErrorInvalidItemForOperationCancelItem"
            " ErrorInvalidItemForOperationRemoveItem ErrorInvalidItemForOperationTentative"
            " ErrorMeetingSuggestionGenerationFailed ErrorSendMeetingCancellationsRequired"
            " ErrorSendMeetingInvitationsOrCancellationsRequired ErrorSendMeetingInvitationsRequired"
            " ErrorSentMeetingRequestUpdate"
        ),
    ),
    (
        _of("entries that are written"),
        (
            "ErrorAffectedTaskOccurrencesRequired ErrorCalendarCannotMoveOrCopyOccurrence"
            " ErrorCalendarCannotUpdateDeletedItem ErrorCalendarCannotUseIdForOccurrenceId"
            " ErrorCalendarCannotUseIdForRecurringMasterId ErrorCalendarDurationIsTooLong"
            " ErrorCalendarInvalidAttributeValue ErrorCalendarInvalidDayForTimeChangePattern"
            " ErrorCalendarInvalidDayForWeeklyRecurrence ErrorCalendarInvalidPropertyValue"
            " ErrorCalendarOccurrenceIndexIsOutOfRecurrenceRange ErrorCalendarOccurrenceIsDeletedFromRecurrence"
            " ErrorCalendarOutOfRange ErrorCannotCreateCalendarItemInNonCalendarFolder"
            " ErrorCannotCreateTaskInNonTaskFolder ErrorCannotDeleteTaskOccurrence ErrorInvalidCompleteDate"
            " ErrorInvalidPercentCompleteValue ErrorOccurrenceCrossingBoundary ErrorOccurrenceTimeSpanTooBig"
            " ErrorRecurrenceEndDateTooBig ErrorRecurrenceHasNoOccurrence ErrorSentTaskRequestUpdate"
            " ErrorUnsupportedRecurrence"
        ),
    ),
    (
        _of("settings that are written"),
        (
            "ErrorInvalidOofParameter ErrorInvalidScheduledOofDuration ErrorInvalidUserOofSettings"
            " ErrorWorkingHoursSaveFailed"
        ),
    ),
    (
        _of("folders that are written or moved"),
        (
            "ErrorCannotAccessDeletedPublicFolder ErrorCannotCreateContactInNonContactFolder"
            " ErrorCannotCreatePostItemInNonMailFolder ErrorCannotGetSourceFolderPath ErrorCannotEmptyFolder"
            " ErrorCannotUseFolderIdForItemId ErrorCannotUseItemIdForFolderId ErrorCrossMailboxMoveCopy"
            " ErrorDeleteDistinguishedFolder ErrorDuplicateInputFolderNames ErrorFolderSave ErrorFolderSaveFailed"
            " ErrorFolderSavePropertyError ErrorFolderExists ErrorMoveCopyFailed ErrorMoveDistinguishedFolder"
            " ErrorNoFolderClassOverride ErrorOperationNotAllowedWithPublicFolderRoot ErrorParentFolderNotFound"
            " ErrorSavedItemFolderNotFound ErrorToFolderNotFound"
        ),
    ),
    (
        _of("items that are written, or asked for by their id"),
        (
            "ErrorCannotDeleteObject ErrorChangeKeyRequired ErrorChangeKeyRequiredForWriteOperations"
            " ErrorCreateItemAccessDenied ErrorCreateSubfolderAccessDenied ErrorDataSizeLimitExceeded"
            " ErrorDeleteItemsFailed ErrorIncorrectUpdatePropertyCount ErrorIndividualMailboxLimitReached"
            " ErrorInvalidChangeKey ErrorInvalidExtendedProperty ErrorInvalidExtendedPropertyValue"
            " ErrorInvalidIdMalformedEwsLegacyIdFormat ErrorInvalidIdMonikerTooLong"
            " ErrorInvalidIdStoreObjectIdTooLong ErrorInvalidIdXml ErrorInvalidItemForOperationCreateItem"
            " ErrorInvalidPropertyAppend ErrorInvalidPropertyDelete ErrorInvalidPropertySet"
            " ErrorInvalidPropertyUpdateSentMessage ErrorInvalidValueForProperty ErrorIrresolvableConflict"
            " ErrorItemSave ErrorItemSavePropertyError ErrorNoPropertyTagForCustomProperties"
            " ErrorObjectTypeChanged ErrorPropertyUpdate ErrorPropertyValidationFailure ErrorQuotaExceeded"
            " ErrorRequiredPropertyMissing ErrorStaleObject ErrorUpdatePropertyMismatch"
            " ErrorUnsupportedMapiPropertyType ErrorUnsupportedTypeForConversion"
        ),
    ),
)
