// SubjectService on gRPC.
#pragma once

#include "consent/v1/subject_service.grpc.pb.h"
#include "daemon/rpc/raw_service.h"
#include "daemon/service/state/core.h"
#include "daemon/service/subject/children_due.h"
#include "daemon/service/subject/join_subjects.h"
#include "daemon/service/subject/read_subject.h"
#include "daemon/service/subject/subject_changes.h"

namespace consent::rpc {

// As SettingsRpc. Thread-safe; the references outlive the server.
class SubjectRpc final : public RawService<v1::SubjectService> {
 public:
  SubjectRpc(service::Core& core, service::SubjectChanges& changes, service::JoinSubjects& joins,
             const service::ReadSubject& reads, const service::ChildrenDue& children,
             const RpcDependencies& dependencies);

 private:
  void Upsert(const CallPtr<v1::UpsertSubjectRequest, v1::UpsertSubjectResponse>& call);
  void Get(const CallPtr<v1::GetSubjectRequest, v1::GetSubjectResponse>& call);
  void RecordNotice(const CallPtr<v1::RecordChildNoticeRequest, v1::RecordChildNoticeResponse>& call);
  void Join(const CallPtr<v1::JoinSubjectsRequest, v1::JoinSubjectsResponse>& call);
  void ListChildren(const CallPtr<v1::ListChildrenDueRequest, v1::ListChildrenDueResponse>& call);

  service::Core& core_;
  service::SubjectChanges& changes_;
  service::JoinSubjects& joins_;
  const service::ReadSubject& reads_;
  const service::ChildrenDue& children_;
};

}  // namespace consent::rpc
